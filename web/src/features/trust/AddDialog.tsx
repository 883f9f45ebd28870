import type { TrustView } from '@malleus/shared/api/trust.ts'
import { useState } from 'react'
import { useAddTrust, useCreateToken } from '../../api/trust.ts'
import { useTarget } from '../../components/current.ts'
import { formatFull } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { RadioCards } from '../../ui/RadioCards.tsx'
import { ClientFields, Field, inputClass, whyNotYet, type ClientChoice } from './ClientFields.tsx'
import { Command } from './Command.tsx'
import { Failure } from './Failure.tsx'
import { certificateCommand, tokenCommand } from './trust-words.ts'

type Way = 'token' | 'certificate'
type MadeToken = NonNullable<ReturnType<typeof useCreateToken>['data']>

/** Trusts a new client: by a token that it redeems itself, or by its certificate. */
export function AddDialog({ cluster, trust, onClose }: { cluster: string; trust: TrustView; onClose: () => void }) {
  const target = useTarget()
  const making = useCreateToken(cluster, target)
  const adding = useAddTrust(cluster, target)
  const [way, setWay] = useState<Way>('token')
  const [choice, setChoice] = useState<ClientChoice>({ name: '', restricted: false, projects: [] })
  const [minutes, setMinutes] = useState<number | null>(trust.cannotWithdraw === null ? 60 : null)
  const [type, setType] = useState<'client' | 'metrics'>('client')
  const [certificate, setCertificate] = useState('')
  // One intention, however often it is pressed; another one once something else is asked for.
  const [key, setKey] = useState(() => crypto.randomUUID())
  const changed = () => {
    setKey(crypto.randomUUID())
    making.reset()
    adding.reset()
  }
  const { name, restricted, projects } = choice
  const body = { name: name.trim(), restricted, projects: [...projects], key }
  const isPending = making.isPending || adding.isPending
  const whyNot = isPending
    ? 'It is being asked for.'
    : (whyNotYet(choice) ??
      (way === 'certificate' && certificate.trim() === '' ? 'Paste its certificate first.' : undefined))

  if (making.data !== undefined) return <TokenMade cluster={cluster} made={making.data} onClose={onClose} />
  return (
    <Dialog
      title="Add a client"
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            tone="primary"
            disabledReason={whyNot}
            onPress={() =>
              way === 'token'
                ? making.mutate({ ...body, withdrawAfterMinutes: minutes })
                : adding.mutate({ ...body, type, certificate }, { onSuccess: onClose })
            }
          >
            {way === 'token' ? 'Make a token' : 'Trust it'}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {making.isError && <Failure error={making.error} what="make a token" />}
        {adding.isError && <Failure error={adding.error} what="trust the client" />}
        <RadioCards
          legend="How"
          choices={[
            { id: 'token', title: 'By a token', text: 'The client redeems it once and keeps its key to itself.' },
            { id: 'certificate', title: 'By its certificate', text: 'You have the certificate already, in PEM form.' },
          ]}
          chosen={way}
          onChoose={(next) => {
            setWay(next)
            changed()
          }}
        />
        <ClientFields
          choice={choice}
          projects={trust.projects}
          type={way === 'certificate' ? type : 'client'}
          onChange={(next) => {
            setChoice(next)
            changed()
          }}
        />
        {way === 'token' ? (
          <TokenEnd
            trust={trust}
            minutes={minutes}
            onChange={(next) => {
              setMinutes(next)
              changed()
            }}
          />
        ) : (
          <CertificateFields
            type={type}
            certificate={certificate}
            onChange={(next) => {
              setType(next.type)
              setCertificate(next.certificate)
              changed()
            }}
          />
        )}
        <Command
          text={way === 'token' ? tokenCommand(cluster, choice) : certificateCommand(cluster, { ...choice, type })}
        />
      </div>
    </Dialog>
  )
}

const ends = [
  { minutes: 10, text: 'after 10 minutes' },
  { minutes: 60, text: 'after an hour' },
  { minutes: 24 * 60, text: 'after a day' },
  { minutes: 7 * 24 * 60, text: 'after a week' },
] as const

/** Incus has one end for all tokens; a shorter one is this console's to keep, and it says so. */
function TokenEnd(props: { trust: TrustView; minutes: number | null; onChange: (minutes: number | null) => void }) {
  const { trust, minutes, onChange } = props
  const clusterEnd = trust.authorization?.tokenExpiry ?? null
  const own = trust.authorization === null ? 'as the cluster says' : (clusterEnd ?? 'never')
  return (
    <Field
      label="When it ends, unused"
      hint={
        trust.cannotWithdraw ??
        (minutes === null
          ? 'The cluster alone ends it (core.remote_token_expiry).'
          : `This console withdraws it at that time, also when it was restarted meanwhile. ${clusterEnd === null ? 'The cluster itself would never end it.' : `The cluster itself would end it after ${clusterEnd}.`}`)
      }
    >
      {(id) => (
        <select
          id={id}
          className={inputClass}
          value={minutes ?? ''}
          onChange={({ target }) => onChange(target.value === '' ? null : Number(target.value))}
        >
          {trust.cannotWithdraw === null &&
            ends.map((end) => (
              <option key={end.minutes} value={end.minutes}>
                {end.text}
              </option>
            ))}
          <option value="">{clusterEnd === null ? own : `after ${clusterEnd}, as the cluster says`}</option>
        </select>
      )}
    </Field>
  )
}

function CertificateFields(props: {
  type: 'client' | 'metrics'
  certificate: string
  onChange: (next: { type: 'client' | 'metrics'; certificate: string }) => void
}) {
  const { type, certificate, onChange } = props
  return (
    <>
      <Field label="Type" hint="Metrics reads metrics and nothing else, for monitoring.">
        {(id) => (
          <select
            id={id}
            className={inputClass}
            value={type}
            onChange={({ target }) =>
              onChange({ type: target.value === 'metrics' ? 'metrics' : 'client', certificate })
            }
          >
            <option value="client">Client</option>
            <option value="metrics">Metrics</option>
          </select>
        )}
      </Field>
      <Field label="Certificate" hint="The certificate alone, never its key: incus keeps it in client.crt.">
        {(id) => (
          <textarea
            id={id}
            rows={6}
            spellCheck={false}
            autoComplete="off"
            placeholder="-----BEGIN CERTIFICATE-----"
            className={`${inputClass} h-auto py-2 font-mono text-12`}
            value={certificate}
            onChange={({ target }) => onChange({ type, certificate: target.value })}
          />
        )}
      </Field>
    </>
  )
}

/** The only time that the token is on a screen. */
function TokenMade({ cluster, made, onClose }: { cluster: string; made: MadeToken; onClose: () => void }) {
  const { pending, command } = made
  return (
    <Dialog
      title={`Token for ${pending.name}`}
      dismissable={false}
      onClose={onClose}
      footer={
        <Button tone="primary" onPress={onClose}>
          Done
        </Button>
      }
    >
      <div className="flex flex-col gap-3">
        <Notice tone="info" shape="key" headline="Shown once.">
          Nobody can read it again here, and it is good for one client. Whoever has it can use it.
        </Notice>
        <p>Run this on the client:</p>
        <Command text={command} />
        <p className="text-12 text-ink-2">
          It is in the memory of {pending.member ?? 'the server'} and is lost when that is restarted.{' '}
          {pending.withdrawnAt !== null
            ? `This console withdraws it on ${formatFull(pending.withdrawnAt)} if it was not used.`
            : pending.expiresAt !== null
              ? `The cluster lets it end on ${formatFull(pending.expiresAt)}.`
              : 'It does not end by itself.'}{' '}
          The remote is called {cluster} there; another name does as well.
        </p>
      </div>
    </Dialog>
  )
}
