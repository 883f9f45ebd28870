import type { changePins } from '@malleus/shared/api/certificate-replacement.ts'
import type { BodyOf, ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { Trust } from '../clusters/trust.ts'
import { CannotReplace } from './cannot-replace.ts'
import type { Replacements } from './replacements.ts'
import type { TrustFollower } from './trust-follow.ts'

interface Ports {
  readonly trust: Pick<Trust, 'anchor'>
  readonly follower: Pick<TrustFollower, 'expect' | 'dropNext' | 'dropCurrent'>
  readonly replacements: Pick<Replacements, 'isRunning'>
}

/**
 * Says by which fingerprints this console recognises the cluster from now on, and gives them back.
 *
 * @throws CannotReplace where an authority vouches, while a replacement is under way, and when there is nothing to change
 */
export function changePinsOf(
  { trust, follower, replacements }: Ports,
  change: BodyOf<typeof changePins>,
  by: string,
): ReplyOf<typeof changePins>['pins'] {
  if (trust.anchor.kind === 'ca') {
    throw new CannotReplace(
      'This console recognises the cluster by an authority, so there are no fingerprints to change.',
    )
  }
  if (replacements.isRunning) throw new CannotReplace('A replacement is under way, which changes them by itself.')
  switch (change.change) {
    case 'set-next': {
      const fingerprint = change.fingerprint.replaceAll(/[\s:]/g, '').toLowerCase()
      if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
        throw new CannotReplace('That is no SHA-256 fingerprint, which has 64 hexadecimal digits.')
      }
      if (!follower.expect(fingerprint, `set by ${by}`)) throw new CannotReplace('It is accepted already.')
      break
    }
    case 'drop-next':
      if (!follower.dropNext()) throw new CannotReplace('There is no next pin.')
      break
    case 'drop-current':
      if (!follower.dropCurrent()) throw new CannotReplace('There is no next pin that could take its place.')
      break
  }
  return trust.anchor.kind === 'fingerprints' ? trust.anchor.pins.map((pin) => ({ ...pin })) : []
}
