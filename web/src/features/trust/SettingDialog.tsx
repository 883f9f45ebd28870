import type { TrustFinding } from '@malleus/shared/api/trust.ts'
import { useState } from 'react'
import { useChangeSetting } from '../../api/trust.ts'
import { useTarget } from '../../components/current.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Command } from './Command.tsx'
import { Failure } from './Failure.tsx'

/** Shows what one key is and will be before it is changed. */
export function SettingDialog(props: { cluster: string; finding: TrustFinding; onClose: () => void }) {
  const { cluster, finding, onClose } = props
  const { setting, fix, command } = finding
  const changing = useChangeSetting(cluster, useTarget())
  const [key] = useState(() => crypto.randomUUID())
  if (setting === null) return null
  return (
    <Dialog
      title={`Change ${setting.key}?`}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{changing.isError ? 'Close' : 'Cancel'}</Button>
          <Button
            tone="primary"
            disabledReason={
              changing.isPending ? 'It is being asked for.' : changing.isError ? 'Close this first.' : undefined
            }
            onPress={() => changing.mutate({ key, setting }, { onSuccess: onClose })}
          >
            Change it
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {changing.isError && <Failure error={changing.error} what={`change ${setting.key}`} />}
        <p>{fix}</p>
        <dl aria-label="The difference" className="overflow-hidden rounded-[10px] border border-line font-mono text-12">
          <div className="flex gap-2 bg-bad-soft px-3 py-1.5 text-bad">
            <dt>
              −<span className="sr-only"> before</span>
            </dt>
            <dd className="min-w-0 wrap-anywhere">
              {setting.key}: {setting.from ?? <span className="font-sans">not set</span>}
            </dd>
          </div>
          <div className="flex gap-2 bg-good-soft px-3 py-1.5 text-good">
            <dt>
              +<span className="sr-only"> after</span>
            </dt>
            <dd className="min-w-0 wrap-anywhere">
              {setting.key}: {setting.to === '' ? <span className="font-sans">not set</span> : setting.to}
            </dd>
          </div>
        </dl>
        <p className="text-ink-2">Every other setting stays as it is.</p>
        {command !== null && <Command text={command} />}
      </div>
    </Dialog>
  )
}
