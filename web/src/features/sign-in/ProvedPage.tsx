import { getRouteApi } from '@tanstack/react-router'
import { useEffect } from 'react'
import { tellProof } from '../../api/proof-channel.ts'
import { Button } from '../../ui/Button.tsx'
import { Logo } from '../../ui/Logo.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { describeProofProblem } from './proof-words.ts'

const route = getRouteApi('/proved')

/** Where the provider sends the window of a step-up back to: tells the page that waits, and closes itself if it may. */
export function ProvedPage() {
  const { of, problem } = route.useSearch()
  useEffect(() => {
    tellProof({ of: of ?? '', problem: problem ?? null })
    // A browser may leave a window open that has been elsewhere.
    if (problem === undefined) window.close()
  }, [of, problem])
  const refusal = problem === undefined ? undefined : describeProofProblem(problem)
  return (
    <main className="mx-auto flex min-h-dvh max-w-[440px] flex-col justify-center px-5 py-16">
      <Logo size={32} />
      <h1 className="mt-5 text-22 tracking-[-0.015em]">{refusal === undefined ? 'It is you' : 'Nothing was proved'}</h1>
      {refusal === undefined ? (
        <p className="mt-1.5 text-ink-2">What you wanted to do goes on in the other window. You can close this one.</p>
      ) : (
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
      <div className="mt-6">
        <Button onPress={() => window.close()}>Close this window</Button>
      </div>
    </main>
  )
}
