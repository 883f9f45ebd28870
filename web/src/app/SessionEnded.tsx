import { currentPath, loginUrl } from '../lib/paths.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'

/** The session is over. What was read last stays behind this; signing in again comes back to the same link. */
export function SessionEnded({ reason }: { reason: string }) {
  return (
    <Dialog
      title="You are signed out"
      dismissable={false}
      onClose={() => undefined}
      footer={
        <Button tone="primary" onPress={() => window.location.assign(loginUrl(currentPath(window.location)))}>
          Sign in again
        </Button>
      }
    >
      <p>{reason}</p>
      <p className="mt-2 text-ink-2">
        What you see behind this is what was last read; it does not change any more. After signing in you come back
        here.
      </p>
    </Dialog>
  )
}
