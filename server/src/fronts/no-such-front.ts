import { FrontKind } from '@malleus/shared/api/fronts.ts'

/** Nothing can be generated under that name. The message is for people. */
export class NoSuchFront extends Error {
  override readonly name = 'NoSuchFront'
  readonly code = 'not_found'

  constructor() {
    super(`There is no such front. There are: ${FrontKind.options.join(', ')}.`)
  }
}
