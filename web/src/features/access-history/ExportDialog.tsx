import { beginDownload } from '@malleus/shared/api/downloads.ts'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { RadioCards } from '../../ui/RadioCards.tsx'

type Format = 'ndjson' | 'csv'

/** What the page shows, as a file; with a manifest that says under the console's signature what it is. */
export function ExportDialog(props: { cluster: string; filter: string; reads: boolean; onClose: () => void }) {
  const { cluster, filter, reads, onClose } = props
  const [format, setFormat] = useState<Format>('ndjson')
  const begin = useMutation({
    mutationFn: () => call(beginDownload, { body: { kind: 'audit', cluster, filter, reads, format } }),
    onSuccess: ({ path }) => fetchFile(path),
  })
  const { data, error, isPending } = begin
  return (
    <Dialog
      title="Export the access history"
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Close</Button>
          <Button
            tone="primary"
            onPress={() => begin.mutate()}
            {...(isPending && { disabledReason: 'It is being prepared.' })}
          >
            Download
          </Button>
        </>
      }
    >
      <p>
        {filter === '' ? (
          'Everything that was recorded of this cluster, and what belongs to none'
        ) : (
          <>
            What <code className="font-mono text-12 wrap-anywhere">{filter}</code> shows
          </>
        )}
        , {reads ? 'with reads' : 'without reads'}, oldest first. The export is recorded too.
      </p>
      <div className="mt-3">
        <RadioCards legend="Format" chosen={format} onChoose={setFormat} choices={formats} />
      </div>
      {error !== null && (
        <div className="mt-3">
          <ProblemNotice error={error} />
        </div>
      )}
      {data !== undefined && (
        <p className="mt-3" role="status">
          The download has begun. Keep{' '}
          <a href={data.manifest} download className="font-strong text-accent-text hover:underline">
            its signed manifest
          </a>{' '}
          with it: <code className="font-mono text-12">malleus audit verify --against</code> tells by it whether the
          file is still what was written.
        </p>
      )}
    </Dialog>
  )
}

const formats = [
  { id: 'ndjson', title: 'NDJSON', text: 'One record a line, exactly as it is kept, with its hashes.' },
  { id: 'csv', title: 'CSV', text: 'For spreadsheets. No cell is taken for a formula.' },
] as const

/** Opens the address as a download, and leaves the page where it is. */
function fetchFile(path: string): void {
  const link = document.createElement('a')
  link.href = path
  link.download = ''
  link.click()
}
