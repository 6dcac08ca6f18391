import { useEffect, useRef, useState } from "react";

/** Whether an element has come near the window's visible part; once it has, it stays true. */
export function useVisible() {
  const box = useRef<HTMLDivElement>(null);
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    if (box.current === null) return;
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          setVisible(true);
          watch.disconnect();
        }
      },
      { rootMargin: "200px" },
    );
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return [box, visible] as const;
}
