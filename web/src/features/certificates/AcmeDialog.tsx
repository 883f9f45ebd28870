import type { AcmeCheck, AcmeView } from '@malleus/shared/api/acme.ts'
import { acmeDirectories } from '@malleus/shared/api/acme.ts'
import { useId, useState, type ReactNode } from 'react'
import { useChangeAcme, useCheckAcme } from '../../api/acme.ts'
import { ProblemDetail } from '../../components/ProblemNotice.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { RadioCards } from '../../ui/RadioCards.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { directoryOf, formOf, settingsIn, whyNotYet, type AcmeForm } from './acme-form.ts'

/** How the servers are to get their certificate: checked line by line, then ordered at once. */
export function AcmeDialog({ cluster, view, onClose }: { cluster: string; view: AcmeView; onClose: () => void }) {
  // What was shown when it was opened: what somebody else changes meanwhile is refused, not overwritten.
  const [before] = useState(view)
  const [form, setForm] = useState(() => formOf(before.settings))
  const [isLeaving, setLeaving] = useState(false)
  const [knowsBetter, setKnowsBetter] = useState(false)
  const [key, setKey] = useState(() => crypto.randomUUID())
  const checking = useCheckAcme(cluster)
  const changing = useChangeAcme(cluster)
  const set = (change: Partial<AcmeForm>) => {
    setForm({ ...form, ...change })
    setKey(crypto.randomUUID())
    setKnowsBetter(false)
    checking.reset()
    changing.reset()
  }
  const settings = settingsIn(form, before.settings)
  const checks = checking.data?.checks
  const blocked = checks?.find(({ verdict, fromHere }) => verdict === 'cannot' && !(fromHere && knowsBetter))
  const isPending = checking.isPending || changing.isPending
  const whyNot = isPending ? 'It is being asked for.' : (whyNotYet(form) ?? blocked?.because)
  const order = (wanted: typeof settings | null) =>
    changing.mutate({ settings: wanted, shown: before.shown, key }, { onSuccess: onClose })

  if (isLeaving) {
    return (
      <Dialog
        title="Turn the renewal off?"
        onClose={onClose}
        footer={
          <>
            <Button onPress={() => setLeaving(false)}>Back</Button>
            <Button
              tone="danger"
              disabledReason={isPending ? 'It is being asked for.' : undefined}
              onPress={() => order(null)}
            >
              Turn it off
            </Button>
          </>
        }
      >
        {changing.isError && <Failure error={changing.error} what="turn it off" />}
        <p>
          The servers keep the certificate that they have, and nobody renews it any more. The settings are removed from
          the cluster, secrets too; they have to be filled in again to turn it on.
        </p>
      </Dialog>
    )
  }

  return (
    <Dialog
      title="Renewal by itself (ACME)"
      width="wide"
      onClose={onClose}
      footer={
        <>
          {before.settings !== null && (
            <Button tone="quiet" className="mr-auto" onPress={() => setLeaving(true)}>
              Turn off…
            </Button>
          )}
          <Button onPress={onClose}>Cancel</Button>
          {checks === undefined ? (
            <Button tone="primary" disabledReason={whyNot} onPress={() => checking.mutate({ settings })}>
              {checking.isPending ? 'Checking…' : 'Check'}
            </Button>
          ) : (
            <Button tone="primary" disabledReason={whyNot} onPress={() => order(settings)}>
              Order the certificate
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {checking.isError && <Failure error={checking.error} what="check it" />}
        {changing.isError && <Failure error={changing.error} what="order the certificate" />}
        {checks !== undefined && <Checks checks={checks} />}
        {checks?.some(({ verdict, fromHere }) => verdict === 'cannot' && fromHere) === true && (
          <Check isChecked={knowsBetter} onChange={setKnowsBetter}>
            The authority sees the domain otherwise than this console does: order all the same.
          </Check>
        )}
        <Fields form={form} view={before} set={set} />
      </div>
    </Dialog>
  )
}

function Fields({ form, view, set }: { form: AcmeForm; view: AcmeView; set: (change: Partial<AcmeForm>) => void }) {
  const directory = directoryOf(form.directory)
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={view.can.severalDomains ? 'Domains' : 'Domain'}
          hint={
            view.can.severalDomains
              ? 'The names by which clients reach the cluster, the main one first.'
              : 'The name by which clients reach the cluster. This version of Incus orders for one only.'
          }
        >
          {(id) => <Input id={id} value={form.domains} onChange={(domains) => set({ domains })} />}
        </Field>
        <Field label="Email" hint="The authority writes to it when something is wrong.">
          {(id) => <Input id={id} value={form.email} type="email" onChange={(email) => set({ email })} />}
        </Field>
        <Field label="Authority">
          {(id) => (
            <select
              id={id}
              className={inputClass}
              value={directory?.url ?? ''}
              onChange={({ target }) => set({ directory: target.value, agreed: false })}
            >
              {acmeDirectories.map(({ name, url }) => (
                <option key={url} value={url}>
                  {name}
                </option>
              ))}
              <option value="">Another one</option>
            </select>
          )}
        </Field>
        <Field label="Its directory" hint="Where it says what it can do.">
          {(id) => <Input id={id} value={form.directory} type="url" onChange={(url) => set({ directory: url })} />}
        </Field>
      </div>
      <Check isChecked={form.agreed} onChange={(agreed) => set({ agreed })}>
        I agree to the terms of {directory?.name ?? 'this authority'}.
      </Check>
      <RadioCards
        legend="How the domain is proved"
        choices={[
          {
            id: 'HTTP-01',
            title: 'HTTP-01',
            text: 'The authority asks at port 80 of the domain; the way from there has to lead to any server.',
          },
          {
            id: 'DNS-01',
            title: 'DNS-01',
            text: 'The server that orders writes into the zone of the domain; nothing has to be reachable from outside.',
          },
        ]}
        chosen={form.challenge}
        onChoose={(challenge) => set({ challenge })}
      />
      {form.challenge === 'HTTP-01' ? (
        <Field label="Where the server that orders listens" hint="Empty: port 80 of every address of it.">
          {(id) => <Input id={id} value={form.httpPort} onChange={(httpPort) => set({ httpPort })} />}
        </Field>
      ) : (
        <Zone form={form} set={set} />
      )}
      {view.can.account && <Account form={form} needed={directory?.needsAccount ?? false} set={set} />}
      {!view.can.account && directory?.needsAccount === true && (
        <Notice tone="warning">
          {directory.name} wants an account that was made with it before, which this version of Incus cannot name.
        </Notice>
      )}
    </>
  )
}

function Zone({ form, set }: { form: AcmeForm; set: (change: Partial<AcmeForm>) => void }) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="Who serves the zone" hint="By the name that lego has for it, such as hetzner or rfc2136.">
        {(id) => <Input id={id} value={form.provider} onChange={(provider) => set({ provider })} />}
      </Field>
      <Field label="Name servers to ask" hint="Empty: those of the server. Separated by commas.">
        {(id) => <Input id={id} value={form.resolvers} onChange={(resolvers) => set({ resolvers })} />}
      </Field>
      <div className="sm:col-span-2">
        <Secret
          label="What it needs to sign in there"
          hint="Lines of NAME=value, as lego wants them. Secret."
          lines={3}
          value={form.environment}
          onChange={(environment) => set({ environment })}
        />
      </div>
    </div>
  )
}

function Account(props: { form: AcmeForm; needed: boolean; set: (change: Partial<AcmeForm>) => void }) {
  const { form, needed, set } = props
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label="Account with the authority"
        hint={needed ? 'This authority wants one.' : 'The key identifier; empty where the authority wants none.'}
      >
        {(id) => <Input id={id} value={form.keyId} onChange={(keyId) => set({ keyId })} />}
      </Field>
      <Secret
        label="Key of the account"
        hint="The HMAC key that came with it. Secret."
        lines={1}
        value={form.hmac}
        onChange={(hmac) => set({ hmac })}
      />
    </div>
  )
}

/** A secret that is there is never shown: it stays, or another one takes its place. */
function Secret(props: {
  label: string
  hint: string
  lines: number
  value: string | null
  onChange: (value: string | null) => void
}) {
  const { label, hint, lines, value, onChange } = props
  if (value === null) {
    return (
      <div>
        <p className="mb-1 font-strong">{label}</p>
        <p className="flex flex-wrap items-center gap-2 text-ink-2">
          Kept as it is, and not shown.
          <Button size="small" label={`Replace: ${label}`} onPress={() => onChange('')}>
            Replace
          </Button>
        </p>
      </div>
    )
  }
  return (
    <Field label={label} hint={hint}>
      {(id) =>
        lines === 1 ? (
          <Input id={id} value={value} type="password" onChange={onChange} />
        ) : (
          <textarea
            id={id}
            rows={lines}
            spellCheck={false}
            autoComplete="off"
            className={`${inputClass} h-auto py-2 font-mono text-12`}
            value={value}
            onChange={({ target }) => onChange(target.value)}
          />
        )
      }
    </Field>
  )
}

const verdicts = {
  can: { tone: 'good', shape: 'check', word: 'Can' },
  'can-but': { tone: 'warning', shape: 'alert', word: 'Can, but' },
  cannot: { tone: 'bad', shape: 'cross', word: 'Cannot, because' },
} as const

function Checks({ checks }: { checks: readonly AcmeCheck[] }) {
  return (
    <section aria-label="Checks" aria-live="polite" className="rounded-[10px] border border-line bg-sunken px-3.5 py-3">
      <ul className="flex flex-col gap-2">
        {checks.map(({ what, verdict, because }) => (
          <li key={what} className="flex items-start gap-2">
            <span className="mt-1">
              <StateMark tone={verdicts[verdict].tone} shape={verdicts[verdict].shape} />
            </span>
            <span className="min-w-0 wrap-anywhere">
              <span className="font-strong">{what}.</span> <span className="sr-only">{verdicts[verdict].word}: </span>
              {because}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Failure({ error, what }: { error: Error; what: string }) {
  return (
    <Notice tone="bad" shape="cross" alert headline={`Could not ${what}.`}>
      {error.message} <ProblemDetail error={error} />
    </Notice>
  )
}

const inputClass =
  'h-8 w-full rounded-[7px] border border-line-strong bg-raised px-2.5 text-13 text-ink placeholder:text-ink-3'

function Field(props: { label: string; hint?: string; children: (id: string) => ReactNode }) {
  const { label, hint, children } = props
  const id = useId()
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-strong">
        {label}
      </label>
      {children(id)}
      {hint !== undefined && <p className="mt-1 text-12 text-ink-3">{hint}</p>}
    </div>
  )
}

function Check(props: { isChecked: boolean; onChange: (isChecked: boolean) => void; children: ReactNode }) {
  const { isChecked, onChange, children } = props
  return (
    <label className="flex items-start gap-2.5">
      <input
        type="checkbox"
        className="mt-1 accent-accent"
        checked={isChecked}
        onChange={({ target }) => onChange(target.checked)}
      />
      <span>{children}</span>
    </label>
  )
}

function Input(props: {
  id: string
  value: string
  type?: 'text' | 'email' | 'url' | 'password'
  onChange: (value: string) => void
}) {
  const { id, value, type = 'text', onChange } = props
  return (
    <input
      id={id}
      className={inputClass}
      type={type}
      value={value}
      spellCheck={false}
      autoComplete="off"
      onChange={({ target }) => onChange(target.value)}
    />
  )
}
