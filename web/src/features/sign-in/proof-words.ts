import { StepUpProblem } from '@malleus/shared/api/session.ts'
import { describeRefusal, type Refusal } from './sign-in-view.ts'

/** Why nothing was proved, and what now. Whatever it was, the person is still signed in as they were. */
export function describeProofProblem(word: string): Refusal {
  const problem = StepUpProblem.safeParse(word).data
  switch (problem) {
    case 'somebody_else':
      return {
        tone: 'warning',
        headline: 'Somebody else signed in there.',
        text: 'It has to be you, who are signed in here. Nothing was done.',
      }
    case 'not_asked_again':
      return {
        tone: 'bad',
        headline: 'The provider did not ask who you are.',
        text: 'It let you through as somebody it knows already, which proves nothing. Whoever administers it has to let it honour prompt=login or max_age.',
      }
    case 'no_auth_time':
      return {
        tone: 'bad',
        headline: 'The provider does not say when it asked.',
        text: 'Its ID token has no auth_time, so nothing is proved and this cannot be done. Whoever administers the provider has to have it send auth_time.',
      }
    case 'session_expired':
      return {
        tone: 'warning',
        headline: 'Nobody is signed in any more.',
        text: 'Close this, sign in again, and begin anew.',
      }
    default:
      return describeRefusal(word)
  }
}
