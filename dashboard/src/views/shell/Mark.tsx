/** The name with its mark. */
export function Mark({ className = "" }: { className?: string }) {
  return (
    <span className={`inline-flex items-center gap-2 font-semibold tracking-tight ${className}`}>
      <svg viewBox="0 0 32 32" className="h-[1.35em] w-[1.35em]" aria-hidden="true">
        <path
          d="M3 12h16a4 4 0 1 0-4-4M3 17h21a4 4 0 1 1-4 4M3 22h10a3 3 0 1 1-3 3"
          fill="none"
          stroke="var(--sea)"
          strokeWidth="2.6"
          strokeLinecap="round"
        />
      </svg>
      Tradewind
    </span>
  );
}
