import { useEffect, useState } from 'react'
import { hearProof } from '../api/proof-channel.ts'
import { queryClient } from '../api/query-client.ts'
import { sessionQuery } from '../api/session.ts'
import { describeProofProblem } from '../features/sign-in/proof-words.ts'
import { stepUpUrl } from '../lib/paths.ts'
import { announce } from '../stores/announcements.ts'
import { endProof, failProof, type ProofRequest } from '../stores/proof.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Notice } from '../ui/Notice.tsx'

/**
 * Something reaches so far that the person has to prove again who they are. That happens in a window of its own, so that
 * this page and all that was typed into it stay; what waits goes on by itself afterwards.
 */
export function ProofDialog({ request }: { request: ProofRequest }) {
  const [stage, setStage] = useState<'asking' | 'waiting' | 'blocked'>('asking')
  useHeardProof(request)
  const open = (): void => {
    failProof(request.id, null)
    const opened = window.open(stepUpUrl(request.id), 'malleus-proof', 'popup,width=520,height=720')
    setStage(opened === null ? 'blocked' : 'waiting')
  }
  const { problem } = request
  const refusal = problem === null ? undefined : describeProofProblem(problem)
  return (
    <Dialog
      title="Prove again who you are"
      onClose={() => endProof(false)}
      footer={
        <>
          <Button onPress={() => endProof(false)}>Cancel</Button>
          <Button tone={stage === 'asking' || problem !== null ? 'primary' : 'plain'} onPress={open}>
            {stage === 'asking' && problem === null ? 'Continue to your provider' : 'Try again'}
          </Button>
        </>
      }
    >
      {refusal !== undefined && (
        <div className="mb-3">
          <Notice tone={refusal.tone} headline={refusal.headline} alert>
            {refusal.text}
          </Notice>
        </div>
      )}
      <p>
        What you are about to do reaches far, so your identity provider has to have seen you within the last five
        minutes. It asks in a window of its own; this page stays as it is, and what you began goes on afterwards.
      </p>
      <div role="status" className="mt-2 text-ink-2">
        {stage === 'waiting' && problem === null && (
          <p>Waiting for you in the other window. Nothing has been sent yet.</p>
        )}
        {stage === 'blocked' && <p>Your browser did not open the window.</p>}
      </div>
      {stage !== 'asking' && (
        <p className="mt-2">
          <a href={stepUpUrl(request.id)} target="_blank" rel="noopener" className="text-accent-text underline">
            Open it in a new tab instead
          </a>
        </p>
      )}
    </Dialog>
  )
}

/** Once the person is proven in any window, whatever waits in this one goes on: they share the session. */
function useHeardProof({ id }: ProofRequest): void {
  useEffect(
    () =>
      hearProof(({ of, problem }) => {
        if (problem === null) {
          announce('You proved who you are; what you began goes on.')
          void queryClient.invalidateQueries(sessionQuery)
          endProof(true)
        } else if (of === id) {
          failProof(of, problem)
        }
      }),
    [id],
  )
}
