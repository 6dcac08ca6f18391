"""What a simulated executor needs: curves of jobs, the conditions of its world, and the course that a job takes."""
