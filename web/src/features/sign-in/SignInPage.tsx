import { getRouteApi } from '@tanstack/react-router'
import { loginUrl, safeReturnTo } from '../../lib/paths.ts'
import { Logo } from '../../ui/Logo.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { describeRefusal } from './sign-in-view.ts'

const route = getRouteApi('/sign-in')

/** The only page without a session: one button, and in words why the last attempt did not work. */
export function SignInPage() {
  const { returnTo, problem } = route.useSearch()
  const refusal = problem === undefined ? undefined : describeRefusal(problem)
  return (
    <main className="mx-auto flex min-h-dvh max-w-[440px] flex-col justify-center px-5 py-16">
      <Logo size={32} />
      <h1 className="mt-5 text-22 tracking-[-0.015em]">Sign in to Malleus</h1>
      <p className="mt-1.5 text-ink-2">You sign in with your organisation's identity provider and come back here.</p>
      {refusal !== undefined && (
        <div className="mt-5">
          <Notice
            tone={refusal.tone}
            shape={refusal.tone === 'bad' ? 'cross' : 'alert'}
            headline={refusal.headline}
            alert
          >
            {refusal.text}
          </Notice>
        </div>
      )}
      {/* A navigation, not a request: the provider is at the other end of it. */}
      <a
        href={loginUrl(safeReturnTo(returnTo))}
        className="mt-6 inline-flex h-10 items-center justify-center rounded-[9px] bg-accent text-14 font-strong text-accent-ink hover:bg-accent-hover"
      >
        {refusal === undefined ? 'Sign in' : 'Try again'}
      </a>
      <p className="mt-6 text-12 text-ink-3">
        The browser keeps one cookie and nothing else: no password, and no token that opens anything, ever reaches this
        page.
      </p>
    </main>
  )
}
