import type { PreparedKey } from '@malleus/shared/api/certificate-replacement.ts'
import { useId, useState } from 'react'
import { useDiscardKey, usePrepareKey } from '../../api/certificate-replacement.ts'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { formatDate } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { downloadPem } from './download-pem.ts'
import { namesIn } from './replacement-view.ts'

const inputClass = 'w-full rounded-[7px] border border-line-strong bg-raised px-2.5 text-13 text-ink'

/** Keys that the console made and that wait for their certificate, and the way to another one. */
export function PreparedKeys(props: { cluster: string; prepared: readonly PreparedKey[]; needed: readonly string[] }) {
  const { cluster, prepared, needed } = props
  const [open, setOpen] = useState(prepared.length === 0)
  const discarding = useDiscardKey(cluster)
  return (
    <div className="flex flex-col gap-3">
      {discarding.isError && <ProblemNotice error={discarding.error} />}
      {prepared.length > 0 && (
        <ul aria-label="Keys that wait" className="divide-y divide-line rounded-[10px] border border-line">
          {prepared.map((each) => (
            <li key={each.id} className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-3 py-2">
              <span className="min-w-0 flex-1 basis-52">
                <span className="font-mono text-12 wrap-anywhere">{each.names.join(', ')}</span>
                <span className="block text-12 text-ink-3">
                  {each.key}, made <Ago at={each.madeAt} />, waits until {formatDate(each.until)}
                </span>
              </span>
              <span className="flex items-center gap-1.5">
                <Copy text={each.request} what="the request" />
                <Button size="small" onPress={() => downloadPem(`${cluster}.csr`, each.request)}>
                  Request
                </Button>
                <Button
                  size="small"
                  label={`Delete the key for ${each.subject}`}
                  disabledReason={discarding.isPending ? 'It is being deleted.' : undefined}
                  onPress={() => discarding.mutate(each.id)}
                >
                  Delete
                </Button>
              </span>
            </li>
          ))}
        </ul>
      )}
      {open ? (
        <NewKey cluster={cluster} needed={needed} onMade={() => setOpen(false)} />
      ) : (
        <div>
          <Button size="small" onPress={() => setOpen(true)}>
            Make another key
          </Button>
        </div>
      )}
    </div>
  )
}

function NewKey({ cluster, needed, onMade }: { cluster: string; needed: readonly string[]; onMade: () => void }) {
  const id = useId()
  const [typed, setTyped] = useState<string | null>(null)
  const text = typed ?? needed.join('\n')
  const preparing = usePrepareKey(cluster)
  const names = namesIn(text)
  const [subject] = names
  const whyNot =
    subject === undefined ? 'Give at least one name.' : preparing.isPending ? 'It is being made.' : undefined
  return (
    <div className="flex flex-col gap-2">
      {preparing.isError && <ProblemNotice error={preparing.error} />}
      <label htmlFor={id} className="font-strong">
        Names it is to cover
      </label>
      <textarea
        id={id}
        rows={4}
        spellCheck={false}
        value={text}
        onChange={(event) => setTyped(event.target.value)}
        className={`${inputClass} py-1.5 font-mono text-12`}
      />
      <p className="text-12 text-ink-3">DNS names and addresses, one per line. The first becomes its subject.</p>
      <div>
        <Button
          disabledReason={whyNot}
          onPress={() =>
            preparing.mutate({ subject: (subject ?? '').slice(0, 64), names, curve: 'P-384' }, { onSuccess: onMade })
          }
        >
          Make a key and a request
        </Button>
      </div>
    </div>
  )
}
