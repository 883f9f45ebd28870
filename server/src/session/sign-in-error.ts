/** The provider did not let the person in, or the person did not want to. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused'
}

/** What came back does not fit what was asked: another state, nonce or issuer, a signature that does not hold, an old code. */
export class UnbelievableReply extends Error {
  override readonly name = 'UnbelievableReply'
}

/** It took too long, was done before, or began in another browser. */
export class SignInExpired extends Error {
  override readonly name = 'SignInExpired'
}

/** The access token is of no use to the members. The message is a sentence for administrators. */
export class TokenUnusable extends Error {
  override readonly name = 'TokenUnusable'
}

/** Nobody is signed in in this browser who could prove who they are. */
export class NobodyToProve extends Error {
  override readonly name = 'NobodyToProve'
}

/** A step-up that proves nothing: another person, no question asked, or no word of when it was. */
export class NotProven extends Error {
  override readonly name = 'NotProven'
  readonly problem: 'somebody_else' | 'not_asked_again' | 'no_auth_time'

  constructor(problem: NotProven['problem'], message: string) {
    super(message)
    this.problem = problem
  }
}

/** The person is known and may do nothing here. */
export class NoRole extends Error {
  override readonly name = 'NoRole'
}
