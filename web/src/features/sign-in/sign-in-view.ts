export interface Refusal {
  readonly tone: 'bad' | 'warning'
  readonly headline: string
  readonly text: string
}

/** Why signing in did not work, to what, and what now. The code is one of the console's own problem codes. */
export function describeRefusal(code: string, name: string | undefined): Refusal {
  switch (code) {
    case 'no_role':
      return {
        tone: 'warning',
        headline: 'You are known, but have no role here.',
        text: `${name === undefined ? 'The provider knows you' : `The provider knows you as ${name}`}, and none of your groups has a role in this console. Ask an administrator to add you to a group with the role viewer, operator, admin or auditor, then try again.`,
      }
    case 'provider_unavailable':
      return {
        tone: 'bad',
        headline: 'The identity provider does not answer.',
        text: 'Nobody can sign in until it does; who is signed in already can go on working. The console tries it again with each attempt.',
      }
    case 'sign_in_failed':
      return {
        tone: 'bad',
        headline: 'The provider did not let you in, or its answer was not right.',
        text: 'This happens when signing in is cancelled, takes longer than ten minutes, or is begun in another tab. Begin again from here; if it stays so, give an administrator the request number.',
      }
    case 'session_expired':
    case 'not_signed_in':
      return { tone: 'warning', headline: 'The session has ended.', text: 'Sign in again to go on where you were.' }
    case 'audit_unavailable':
      return {
        tone: 'bad',
        headline: 'Signing in cannot be recorded now.',
        text: 'What cannot be recorded is refused, signing in too. An administrator of this console has to look at its storage.',
      }
    case 'storage_unavailable':
    case 'draining':
      return {
        tone: 'bad',
        headline: 'The console cannot begin a session now.',
        text: 'Its storage does not answer, or it is being restarted. Try again in a moment.',
      }
    case 'too_many_requests':
      return { tone: 'warning', headline: 'Too many attempts.', text: 'Wait a minute, then try again.' }
    default:
      return {
        tone: 'bad',
        headline: 'Signing in did not work.',
        text: 'Begin again from here; if it stays so, tell an administrator.',
      }
  }
}
