import type { TrustFinding, TrustView } from '@malleus/shared/api/trust.ts'
import { lazy, Suspense, useState } from 'react'
import { useMayChange } from '../../components/current.ts'
import { lowerFirst } from '../../components/freshness-words.ts'
import { Button } from '../../ui/Button.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { inkOf, StateMark } from '../../ui/StateMark.tsx'
import { Command } from './Command.tsx'
import { describeAuthorization, findingShapes } from './trust-words.ts'

const SettingDialog = lazy(() => import('./SettingDialog.tsx').then((m) => ({ default: m.SettingDialog })))

/** Which rules decide, and what an administrator should know about that, with how it is put right. */
export function FindingsCard({ cluster, trust }: { cluster: string; trust: TrustView }) {
  const { authorization, findings, freshness } = trust
  const [fixing, setFixing] = useState<TrustFinding | null>(null)
  return (
    <Card title="Who can do what">
      <Facts>
        <Fact name="Decided by">
          {authorization === null ? (
            <span className="text-ink-3">
              Not known:{' '}
              {freshness.kind === 'unavailable'
                ? lowerFirst(freshness.reason)
                : 'the configuration may not be seen by you.'}
            </span>
          ) : (
            describeAuthorization(authorization)
          )}
        </Fact>
        {authorization !== null && authorization.routing !== null && (
          <Fact name="By kind of client">
            <ul className="flex flex-wrap gap-x-3">
              {Object.entries(authorization.routing).map(([kind, rule]) => (
                <li key={kind}>
                  <span className="text-ink-2">{kind}</span> <span className="font-mono text-12">{rule}</span>
                </li>
              ))}
            </ul>
          </Fact>
        )}
        {authorization !== null && (
          <Fact name="Tokens end">
            {authorization.tokenExpiry === null ? (
              <span className="text-warning">never</span>
            ) : (
              <span className="font-mono text-12">after {authorization.tokenExpiry}</span>
            )}
          </Fact>
        )}
      </Facts>
      {findings.length > 0 && (
        <ul className="divide-y divide-line border-t border-line">
          {findings.map((finding) => (
            <FindingRow key={finding.code} finding={finding} onFix={() => setFixing(finding)} />
          ))}
        </ul>
      )}
      {fixing !== null && (
        <Suspense fallback={null}>
          <SettingDialog cluster={cluster} finding={fixing} onClose={() => setFixing(null)} />
        </Suspense>
      )}
    </Card>
  )
}

function FindingRow({ finding, onFix }: { finding: TrustFinding; onFix: () => void }) {
  const { severity, text, fix, command, setting } = finding
  const { may, because } = useMayChange('trust.configure')
  return (
    <li className="flex items-start gap-2.5 px-(--pad-x) py-2.5">
      <span className="mt-1">
        <StateMark tone={severity} shape={findingShapes[severity]} />
      </span>
      <div className="flex min-w-0 grow flex-col gap-1">
        <p className={severity === 'info' ? '' : inkOf[severity]}>{text}</p>
        <p className="text-ink-2">{fix}</p>
        {command !== null && <Command text={command} />}
        {setting !== null && (
          <p className="mt-1">
            <Button size="small" opens="dialog" disabledReason={may ? undefined : because} onPress={onFix}>
              Change {setting.key}…
            </Button>
          </p>
        )}
      </div>
    </li>
  )
}
