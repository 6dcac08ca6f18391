# Fits y = a x + b to 40 points near y = 3 x - 1 and prints `step: N loss: L` on the way.
BEGIN {
    friction["none"] = 0; friction["half"] = 0.5; friction["most"] = 0.9
    for (i = 1; i <= 40; i++) { x[i] = i / 20; y[i] = 3 * x[i] - 1 + 0.1 * sin(37 * i) }
    for (step = 1; step <= steps; step++) {
        loss = slope = shift = 0
        for (i = 1; i <= 40; i++) {
            error = a * x[i] + b - y[i]
            loss += error ^ 2 / 40; slope += 2 * error * x[i] / 40; shift += 2 * error / 40
        }
        da = friction[momentum] * da - rate * slope; a += da
        db = friction[momentum] * db - rate * shift; b += db
        if (step % 10 == 0) { print "step: " step " loss: " loss; fflush() }
    }
}
