import type { TrustEntry } from '@malleus/shared/api/trust.ts'
import { canRestrictTrust } from '@malleus/shared/domain/possibilities.ts'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { trustEntryQuery, useUpdateTrust } from '../../api/trust.ts'
import { useTarget } from '../../components/current.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ClientFields, whyNotYet, type ClientChoice } from './ClientFields.tsx'
import { Command } from './Command.tsx'
import { Failure } from './Failure.tsx'
import { editCommand } from './trust-words.ts'

/** Changes what an entry is called and where it may work, unless somebody else has meanwhile. */
export function EditDialog(props: {
  cluster: string
  entry: TrustEntry
  projects: readonly string[]
  onClose: () => void
}) {
  const { cluster, entry, projects, onClose } = props
  const read = useQuery(trustEntryQuery(cluster, entry.fingerprint))
  const updating = useUpdateTrust(cluster, entry.fingerprint, useTarget())
  const [choice, setChoice] = useState<ClientChoice>(entry)
  // One intention, however often it is pressed; another one once something else is asked for.
  const [key, setKey] = useState(() => crypto.randomUUID())
  const possible = canRestrictTrust(entry)
  const etag = read.data?.etag
  const isSame =
    choice.name === entry.name &&
    choice.restricted === entry.restricted &&
    choice.projects.join() === entry.projects.join()
  const save = () => {
    if (etag === undefined) return
    const { name, restricted, projects: chosen } = choice
    updating.mutate({ key, etag, name, restricted, projects: [...chosen] }, { onSuccess: onClose })
  }
  return (
    <Dialog
      title={`Edit ${entry.name || entry.fingerprint.slice(0, 12)}`}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            tone="primary"
            disabledReason={
              updating.isPending
                ? 'It is being asked for.'
                : etag === undefined
                  ? 'It is being read.'
                  : isSame
                    ? 'Nothing was changed yet.'
                    : whyNotYet(choice)
            }
            onPress={save}
          >
            Save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {read.isError && <Failure error={read.error} what="read the entry" />}
        {updating.isError && <Failure error={updating.error} what="change the entry" />}
        <ClientFields
          choice={choice}
          projects={projects}
          type={entry.type === 'metrics' ? 'metrics' : 'client'}
          fixed={possible.kind === 'cannot' ? possible.because : undefined}
          onChange={(next) => {
            setChoice(next)
            setKey(crypto.randomUUID())
            updating.reset()
          }}
        />
        <Command text={editCommand(cluster, entry)} />
      </div>
    </Dialog>
  )
}
