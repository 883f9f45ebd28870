import { useId, useState } from 'react'
import { useChangePins } from '../../api/certificate-replacement.ts'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { RadioCards } from '../../ui/RadioCards.tsx'
import type { Pins } from './PinsButton.tsx'

type Change = 'set-next' | 'drop-next' | 'drop-current'

/** Says by which fingerprints this console recognises the cluster, with what that does. */
export function PinsDialog({ cluster, pins, onClose }: { cluster: string; pins: Pins; onClose: () => void }) {
  const id = useId()
  const next = pins.find(({ position }) => position === 'next')
  const choices = choicesFor(next !== undefined)
  const [chosen, setChosen] = useState<Change>(next === undefined ? 'set-next' : 'drop-current')
  const [fingerprint, setFingerprint] = useState('')
  const changing = useChangePins(cluster)
  const digits = fingerprint.replaceAll(/[\s:]/g, '')
  const whyNot = changing.isPending
    ? 'It is being changed.'
    : chosen === 'set-next' && !/^[0-9a-f]{64}$/i.test(digits)
      ? 'A SHA-256 fingerprint has 64 hexadecimal digits.'
      : undefined
  const change = () =>
    changing.mutate(chosen === 'set-next' ? { change: chosen, fingerprint: digits } : { change: chosen }, {
      onSuccess: onClose,
    })
  return (
    <Dialog
      title="Change the pins"
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button tone={chosen === 'drop-current' ? 'danger' : 'primary'} disabledReason={whyNot} onPress={change}>
            {choices.find((each) => each.id === chosen)?.title ?? 'Change'}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {changing.isError && <ProblemNotice error={changing.error} />}
        <RadioCards legend="What" choices={choices} chosen={chosen} onChoose={setChosen} />
        {chosen === 'set-next' && (
          <div>
            <label htmlFor={id} className="mb-1 block font-strong">
              SHA-256 fingerprint
            </label>
            <input
              id={id}
              value={fingerprint}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => setFingerprint(event.target.value)}
              className="h-8 w-full rounded-[7px] border border-line-strong bg-raised px-2.5 font-mono text-12 text-ink"
            />
            <p className="mt-1 text-12 text-ink-3">
              From somewhere you trust, not from the server itself:{' '}
              <code className="font-mono text-11">openssl x509 -in cluster.crt -noout -fingerprint -sha256</code>
            </p>
          </div>
        )}
      </div>
    </Dialog>
  )
}

function choicesFor(hasNext: boolean): readonly { id: Change; title: string; text: string }[] {
  const set = {
    id: 'set-next',
    title: hasNext ? 'Set another next pin' : 'Set the next pin',
    text: hasNext
      ? 'It takes the place of the next pin. A server that presents that one already is refused at once.'
      : 'A server that presents it is accepted beside those with the current one. It takes its place when every server has moved.',
  } as const
  if (!hasNext) return [set]
  return [
    {
      id: 'drop-current',
      title: 'Drop the current pin',
      text: 'The next pin becomes the current one now. A server that still presents the old certificate is untrusted at once, and sent nothing.',
    },
    {
      id: 'drop-next',
      title: 'Drop the next pin',
      text: 'Only the current one is accepted. A server that presents the next one already is untrusted at once, and sent nothing.',
    },
    set,
  ]
}
