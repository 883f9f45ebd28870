import { Link } from '@tanstack/react-router'

export function NotFoundPage() {
  return (
    <main className="mx-auto max-w-[520px] px-5 py-20">
      <h1 className="text-18">There is nothing at this address</h1>
      <p className="mt-2 text-ink-2">
        The server or cluster may have been removed or renamed, or your role does not show it. The link may also have
        been cut off when it was copied.
      </p>
      <p className="mt-4">
        <Link to="/" className="font-strong text-accent-text underline-offset-2 hover:underline">
          Go to the overview
        </Link>
      </p>
    </main>
  )
}
