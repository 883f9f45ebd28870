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

/** The person is known and may do nothing here. */
export class NoRole extends Error {
  override readonly name = 'NoRole'
}
