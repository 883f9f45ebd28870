import type { StepUpProblem } from '@malleus/shared/api/session.ts'
import { createStore } from '../lib/store.ts'

/** The person is asked to prove again who they are, because something that they want to do needs it. */
export interface ProofRequest {
  /** A UUID, by which the page that the provider sends back knows whom to tell. */
  readonly id: string
  /** Why the last attempt proved nothing; null before there was one. */
  readonly problem: StepUpProblem | null
}

/** Null when nobody is asked. There is one question at a time, whatever waits for it. */
export const proofRequest = createStore<ProofRequest | null>(null)

let waiting: { readonly answer: Promise<boolean>; readonly resolve: (proved: boolean) => void } | undefined

/** Asks the person to prove who they are; resolves when they did, with true, or when they did not want to. */
export function proveAgain(): Promise<boolean> {
  if (waiting === undefined) {
    const { promise: answer, resolve } = Promise.withResolvers<boolean>()
    waiting = { answer, resolve }
    proofRequest.set({ id: crypto.randomUUID(), problem: null })
  }
  return waiting.answer
}

/** Ends the question: what waits for it goes on, or fails calmly. */
export function endProof(proved: boolean): void {
  proofRequest.set(null)
  waiting?.resolve(proved)
  waiting = undefined
}

/**
 * An attempt proved nothing, or another one begins, with null; the question stays. Of attempts of other pages, which show
 * it themselves, nothing is said.
 */
export function failProof(id: string, problem: StepUpProblem | null): void {
  proofRequest.set((request) => (request?.id === id ? { ...request, problem } : request))
}
