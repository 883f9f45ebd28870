import type { PreparedKey } from '@malleus/shared/api/certificate-replacement.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { certificateQuery } from '../../api/certificate.ts'
import { replacementQuery, useCheckCertificate, useReplaceCertificate } from '../../api/certificate-replacement.ts'
import { useMayChange, useTarget } from '../../components/current.ts'
import { ForRole } from '../../components/ListPage.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { RadioCards } from '../../ui/RadioCards.tsx'
import { CheckedCertificate, ChecksCard } from './ChecksCard.tsx'
import { PemField } from './PemField.tsx'
import { PreparedKeys } from './PreparedKeys.tsx'
import { ReplacementCard } from './ReplacementCard.tsx'
import { whyNotReplace } from './replacement-view.ts'

const route = getRouteApi('/clusters/$cluster/certificates/replace')

export function ReplacePage() {
  return (
    <ForRole action="certificate.check" title="Replace the certificate" what="the replacement of certificates">
      <Replace />
    </ForRole>
  )
}

function Replace() {
  const { cluster } = route.useParams()
  const target = useTarget()
  const data = useQuery(certificateQuery(cluster, target)).data
  const read = useQuery(replacementQuery(cluster))
  const latest = read.data?.latest ?? null
  const running = latest !== null && latest.endedAt === null
  return (
    <>
      <PageTitle
        title="Replace the certificate"
        sentence="Nothing is sent before you have seen what would become of it."
        actions={
          <Link to="/clusters/$cluster/certificates" params={{ cluster }} className="text-accent-text underline">
            Back to the certificates
          </Link>
        }
      />
      {read.isError && <ProblemNotice error={read.error} />}
      {latest !== null && <ReplacementCard cluster={cluster} replacement={latest} />}
      {data?.clustered === false ? (
        <Notice tone="info" shape="info" headline="This server is not clustered.">
          Incus replaces only the certificate of a cluster. This server's is in{' '}
          <code className="font-mono text-12">/var/lib/incus/server.crt</code> and{' '}
          <code className="font-mono text-12">server.key</code>: put others there and restart Incus, or let it get one
          through ACME.
        </Notice>
      ) : (
        !running && (
          <NewCertificate
            cluster={cluster}
            prepared={read.data?.prepared ?? []}
            needed={(data?.namesNeeded ?? []).map(({ name }) => name)}
          />
        )
      )}
    </>
  )
}

type Way = 'given' | 'prepared'

function NewCertificate(props: { cluster: string; prepared: readonly PreparedKey[]; needed: readonly string[] }) {
  const { cluster, prepared, needed } = props
  const [way, setWay] = useState<Way>(prepared.length > 0 ? 'prepared' : 'given')
  const [certificate, setCertificate] = useState('')
  const [key, setKey] = useState('')
  const checking = useCheckCertificate(cluster)
  const replacing = useReplaceCertificate(cluster, useTarget())
  const { may, because } = useMayChange('certificate.replace')
  // One intention, however often it is pressed; another one once something else is given.
  const [intention, setIntention] = useState(() => crypto.randomUUID())

  const change = (set: (text: string) => void) => (text: string) => {
    set(text)
    setIntention(crypto.randomUUID())
    checking.reset()
    replacing.reset()
  }
  const given = { certificate, key: way === 'given' ? key : '' }
  const forget = () => {
    setKey('')
    setCertificate('')
    checking.reset()
    replacing.reset()
  }
  const send = () => replacing.mutate({ key: intention, body: { what: 'given', ...given } }, { onSuccess: forget })
  const whyNotLook =
    certificate.trim() === ''
      ? 'Give the certificate first.'
      : checking.isPending
        ? 'It is being looked at.'
        : undefined
  const whyNotSend = may ? whyNotReplace(checking.data?.checks, replacing.isPending) : because

  return (
    <div className="grid items-start gap-3.5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <Card title="New certificate">
        <div className="flex flex-col gap-4 px-(--pad-x) py-3.5">
          <RadioCards
            legend="Where its key is"
            choices={[
              {
                id: 'given',
                title: 'I have a certificate and its key',
                text: 'The key goes to the cluster and is kept nowhere: not in this browser, not in the console.',
              },
              {
                id: 'prepared',
                title: 'The console makes the key',
                text: 'You take a request to your authority, and come back with what it signed. The key is never shown.',
              },
            ]}
            chosen={way}
            onChoose={(next) => {
              setWay(next)
              setKey('')
              checking.reset()
              replacing.reset()
            }}
          />
          {way === 'prepared' && <PreparedKeys cluster={cluster} prepared={prepared} needed={needed} />}
          <PemField
            label={way === 'given' ? 'Certificate, with those that signed it' : 'What the authority signed'}
            hint="PEM, in any order."
            value={certificate}
            onChange={change(setCertificate)}
          />
          {way === 'given' && (
            <PemField
              label="Private key"
              hint="PEM: PKCS#8, PKCS#1 or SEC1, without a passphrase."
              value={key}
              onChange={change(setKey)}
              secret
            />
          )}
          {checking.isError && <ProblemNotice error={checking.error} />}
          <div>
            <Button
              tone={checking.data === undefined ? 'primary' : 'plain'}
              disabledReason={whyNotLook}
              onPress={() => checking.mutate(given)}
            >
              Look at it
            </Button>
          </div>
        </div>
      </Card>
      <div className="flex min-w-0 flex-col gap-3.5">
        <ChecksCard checks={checking.data?.checks} isPending={checking.isPending} />
        {checking.data?.certificate && <CheckedCertificate certificate={checking.data.certificate} />}
        {checking.data !== undefined && (
          <Card title="Send it">
            <div className="flex flex-col gap-3 px-(--pad-x) py-3.5">
              <p className="text-ink-2">
                The console accepts it as the next certificate, asks one server to replace it everywhere, once, and
                watches each of them. It tells you here who has which.
              </p>
              <p className="flex min-w-0 items-center gap-1">
                <code className="min-w-0 truncate rounded-md bg-sunken px-2 py-1 font-mono text-12 text-ink-2">
                  incus cluster update-certificate {cluster}: cluster.crt cluster.key
                </code>
                <Copy
                  text={`incus cluster update-certificate ${cluster}: cluster.crt cluster.key`}
                  what="the command"
                />
              </p>
              {replacing.isError && <ProblemNotice error={replacing.error} />}
              <div>
                <Button tone="primary" disabledReason={whyNotSend} onPress={send}>
                  Replace the certificate
                </Button>
              </div>
            </div>
          </Card>
        )}
      </div>
    </div>
  )
}
