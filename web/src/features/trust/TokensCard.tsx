import type { PendingToken, TrustView } from '@malleus/shared/api/trust.ts'
import { useState } from 'react'
import { useWithdrawToken } from '../../api/trust.ts'
import { useMayChange, useTarget } from '../../components/current.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { useTicking } from '../../lib/clock.ts'
import { formatFull, formatDuration } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Failure } from './Failure.tsx'
import { mayDo } from './trust-words.ts'

/** Tokens that were given out and not used. */
export function TokensCard({ cluster, trust }: { cluster: string; trust: TrustView }) {
  const { tokens, tokensFreshness: freshness } = trust
  const [withdrawing, setWithdrawing] = useState<PendingToken | null>(null)
  const { may, because } = useMayChange('trust.withdraw')
  return (
    <Card title="Pending tokens" note={tokens.length === 0 ? undefined : tokens.length}>
      {freshness.kind !== 'fresh' && (
        <p className="border-b border-line px-(--pad-x) py-2 text-warning">
          {freshness.kind === 'unavailable' ? 'Not known: ' : 'As last known: '}
          {freshness.reason}
        </p>
      )}
      {tokens.length === 0 ? (
        freshness.kind !== 'unavailable' && <p className="px-(--pad-x) py-3 text-ink-3">None. A token is good once.</p>
      ) : (
        <ul className="divide-y divide-line">
          {tokens.map((token) => (
            <li key={token.id} className="flex min-h-(--row) flex-wrap items-center gap-x-3 gap-y-1 px-(--pad-x) py-2">
              <span className="font-strong">{token.name}</span>
              <span className="text-ink-2">{mayDo({ ...token, type: 'client' })}</span>
              <span className="ml-auto">
                <Button
                  size="small"
                  opens="dialog"
                  label={`Withdraw the token for ${token.name}`}
                  disabledReason={may ? undefined : because}
                  onPress={() => setWithdrawing(token)}
                >
                  Withdraw…
                </Button>
              </span>
              <span className="basis-full text-12 text-ink-3">
                Made <Ago at={token.madeAt} /> by {token.madeBy?.name ?? 'somebody on a server'}
                {token.member !== null && (
                  <>
                    {', in the memory of '}
                    <MemberLink name={token.member} />
                  </>
                )}
                {' · '}
                <End token={token} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {withdrawing !== null && (
        <WithdrawDialog cluster={cluster} token={withdrawing} onClose={() => setWithdrawing(null)} />
      )}
    </Card>
  )
}

function End({ token: { withdrawnAt, expiresAt } }: { token: PendingToken }) {
  const at = withdrawnAt ?? expiresAt
  const left = useTicking((now) => (at === null ? '' : formatDuration(Date.parse(at) - now)))
  if (at === null) return <span>never ends by itself</span>
  return (
    <span title={formatFull(at)}>
      {withdrawnAt === null ? 'ends' : 'withdrawn by this console'} in {left}
    </span>
  )
}

function WithdrawDialog({ cluster, token, onClose }: { cluster: string; token: PendingToken; onClose: () => void }) {
  const withdrawing = useWithdrawToken(cluster, useTarget())
  const [key] = useState(() => crypto.randomUUID())
  return (
    <Dialog
      title={`Withdraw the token for ${token.name}?`}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            tone="danger"
            disabledReason={withdrawing.isPending ? 'It is being asked for.' : undefined}
            onPress={() => withdrawing.mutate({ id: token.id, key }, { onSuccess: onClose })}
          >
            Withdraw it
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {withdrawing.isError && <Failure error={withdrawing.error} what="withdraw the token" />}
        <p>Nobody can use it any more. A client that has used it stays trusted.</p>
      </div>
    </Dialog>
  )
}
