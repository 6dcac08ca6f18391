import type { ReactNode } from "react";

/** The product's mark. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="6" fill="#155e75" />
      <path
        d="M10 4v24M22 4v24M10 9h12M10 16h12M10 23h12"
        stroke="#ecfeff"
        strokeWidth="2.6"
        strokeLinecap="round"
        fill="none"
      />
    </svg>
  );
}

function Drawn({ children, size = 16 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** The light scheme. */
export function Sun() {
  return (
    <Drawn>
      <circle cx="8" cy="8" r="3" />
      <path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1" />
    </Drawn>
  );
}

/** The dark scheme. */
export function Moon() {
  return (
    <Drawn>
      <path d="M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7z" />
    </Drawn>
  );
}

/** The scheme that the system has. */
export function Half() {
  return (
    <Drawn>
      <circle cx="8" cy="8" r="5.6" />
      <path d="M8 2.4v11.2A5.6 5.6 0 0 0 8 2.4z" fill="currentColor" />
    </Drawn>
  );
}

/** A menu of things to do. */
export function Dots() {
  return (
    <Drawn>
      <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.4" />
    </Drawn>
  );
}

/** Where a menu opens. */
export function Down() {
  return (
    <Drawn size={12}>
      <path d="M3.5 6l4.5 4.5L12.5 6" />
    </Drawn>
  );
}
