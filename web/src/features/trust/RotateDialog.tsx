import { useState } from 'react'
import { useRotateIdentity } from '../../api/trust.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Failure } from './Failure.tsx'

/** Asks before the console gets another identity, and says how that went. */
export function RotateDialog({ cluster, onClose }: { cluster: string; onClose: () => void }) {
  const rotating = useRotateIdentity(cluster)
  const [key] = useState(() => crypto.randomUUID())
  if (rotating.data !== undefined || rotating.isPending) {
    return (
      <Dialog title="Rotate the identity" onClose={onClose} footer={<Button onPress={onClose}>Close</Button>}>
        {rotating.data === undefined ? (
          <p className="after-200ms text-ink-2">Changing over…</p>
        ) : (
          <div role="status" className="flex flex-col gap-2">
            <p>The console has another identity, and the one before is trusted no more.</p>
            <Fingerprint value={rotating.data.fingerprint} />
            <p className="text-ink-2">
              The files that the configuration names hold the one before. They can stay: the new one is in the console’s
              database until the configuration names others.
            </p>
          </div>
        )}
      </Dialog>
    )
  }
  return (
    <Dialog
      title="Rotate the identity of this console?"
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            tone="primary"
            disabledReason={rotating.isError ? 'Close this first.' : undefined}
            onPress={() => rotating.mutate(key)}
          >
            Rotate it
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {rotating.isError && <Failure error={rotating.error} what="rotate the identity" />}
        <p>
          The console makes a new key, has it trusted under the old one, sees that every server that answers knows it,
          and changes over. No request is dropped. Then the old one is removed.
        </p>
        <p className="text-ink-2">
          The new key is kept in the console’s database, sealed with its file of keys: keep a copy of both. A console
          that is stopped in the middle goes on when it starts.
        </p>
      </div>
    </Dialog>
  )
}
