/** The malleus: a joint, a handle, and what it passes on. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 20 20" className="text-accent-text">
      <path
        d="M5 4.6c4.6 0 1.6 5.4 5 5.4s.4 5.4 5 5.4"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
      />
      <circle cx="4.4" cy="4.6" r="2.6" fill="currentColor" />
      <circle cx="15.6" cy="15.4" r="2.6" fill="currentColor" />
    </svg>
  )
}
