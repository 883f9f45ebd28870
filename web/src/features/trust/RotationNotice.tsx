import type { TrustView } from '@malleus/shared/api/trust.ts'
import { Notice } from '../../ui/Notice.tsx'
import { describeRotation } from './trust-words.ts'

export function RotationNotice({ rotation }: { rotation: TrustView['rotation'] }) {
  const sentence = describeRotation(rotation)
  return sentence === undefined ? null : (
    <Notice tone="warning" shape="pending">
      {sentence}
    </Notice>
  )
}
