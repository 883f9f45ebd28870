import { SignInProblem } from '@malleus/shared/api/session.ts'

export interface Refusal {
  readonly tone: 'bad' | 'warning'
  readonly headline: string
  readonly text: string
}

/** Why signing in did not work, to what, and what now. A word that this page does not know has a sentence too. */
export function describeRefusal(word: string): Refusal {
  const problem = SignInProblem.safeParse(word)
  return problem.success ? refusals[problem.data] : unknownRefusal
}

const refusals: Record<SignInProblem, Refusal> = {
  no_role: {
    tone: 'warning',
    headline: 'You are known, but have no role here.',
    text: 'The provider knows you, and none of your groups has a role in this console. Ask an administrator to add you to a group with the role viewer, operator, admin or auditor, then try again.',
  },
  provider_unavailable: {
    tone: 'bad',
    headline: 'The identity provider does not answer.',
    text: 'Nobody can sign in until it does; who is signed in already can go on working. The console tries it again with each attempt.',
  },
  provider_unusable: {
    tone: 'bad',
    headline: 'The identity provider cannot be used as it is set up.',
    text: "It answers, but not as this console was told it would. An administrator finds what is wrong in the console's log.",
  },
  sign_in_refused: {
    tone: 'warning',
    headline: 'The provider did not let you in.',
    text: 'Signing in was cancelled there, or the provider does not admit you to this console. Begin again from here, or ask who administers the provider.',
  },
  sign_in_failed: {
    tone: 'bad',
    headline: "The provider's answer was not right.",
    text: "What came back could not be believed, so nobody was signed in. Begin again from here; if it stays so, an administrator finds the reason in the console's log.",
  },
  sign_in_expired: {
    tone: 'warning',
    headline: 'Signing in took too long, or was begun elsewhere.',
    text: 'It has to end within ten minutes, once, and in the browser in which it began. Begin again from here.',
  },
  token_unusable: {
    tone: 'bad',
    headline: 'The servers cannot check what the provider gave you.',
    text: "Its access token is not one that the servers of the cluster can check. An administrator finds in the console's log what to set up at the provider.",
  },
  session_expired: {
    tone: 'warning',
    headline: 'The session has ended.',
    text: 'Sign in again to go on where you were.',
  },
  audit_unavailable: {
    tone: 'bad',
    headline: 'Signing in cannot be recorded now.',
    text: 'What cannot be recorded is refused, signing in too. An administrator of this console has to look at its storage.',
  },
  storage_unavailable: {
    tone: 'bad',
    headline: 'The console cannot begin a session now.',
    text: 'Its storage does not answer. Try again in a moment; if it stays so, an administrator has to look at it.',
  },
}

const unknownRefusal: Refusal = {
  tone: 'bad',
  headline: 'Signing in did not work.',
  text: 'Begin again from here; if it stays so, tell an administrator.',
}
