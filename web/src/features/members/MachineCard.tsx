import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { Member, MemberDetail } from '@malleus/shared/api/members.ts'
import { useQuery } from '@tanstack/react-query'
import { clusterListQuery } from '../../api/clusters.ts'
import { useClusterName } from '../../components/current.ts'
import { KnownInWords } from '../../components/KnownValue.tsx'
import { formatBytes } from '../../lib/bytes.ts'
import { formatDuration } from '../../lib/time.ts'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { Meter } from '../../ui/Meter.tsx'
import { describeSkew } from './machine-words.ts'

/** Load, memory, disks and software, as the server itself last told. */
export function MachineCard({ member, detail }: { member: Member; detail: MemberDetail | undefined }) {
  const name = useClusterName()
  const clusterVersion = useQuery(clusterListQuery).data?.clusters.find((cluster) => cluster.name === name)?.version
  const missing = reasonOf(member.load) ?? reasonOf(member.memory) ?? (detail && reasonOf(detail.pools))
  return (
    <Card title="Machine" note={missing === undefined ? 'as it last told' : `not all is known: ${missing}`}>
      <Facts>
        <Fact name="Load">
          <KnownInWords known={member.load}>
            {({ average1, average5, average15, cores }) => (
              <span className="tabular-nums" title="Averages of 1, 5 and 15 minutes">
                {average1.toFixed(2)}{' '}
                <span className="text-ink-3">
                  · {average5.toFixed(2)} · {average15.toFixed(2)} on {cores} cores
                </span>
              </span>
            )}
          </KnownInWords>
        </Fact>
        <Fact name="Memory">
          <KnownInWords wide known={member.memory}>
            {({ usedBytes, totalBytes }) => (
              <Meter
                wide
                value={totalBytes <= 0 ? 0 : usedBytes / totalBytes}
                label="Memory"
                text={`${formatBytes(usedBytes)} of ${formatBytes(totalBytes)}`}
              />
            )}
          </KnownInWords>
        </Fact>
        <Fact name="Instances">
          <KnownInWords known={member.instances}>
            {({ count }) => <span className="tabular-nums">{count}</span>}
          </KnownInWords>
        </Fact>
        {detail !== undefined && (
          <>
            <Fact name="Storage pools">
              <KnownInWords wide known={detail.pools}>
                {(pools) =>
                  pools.length === 0 ? (
                    'none'
                  ) : (
                    <span className="flex flex-col gap-1.5 py-0.5">
                      {pools.map((pool) => (
                        <span key={pool.name} className="flex flex-wrap items-center gap-x-2">
                          <span className="max-w-full truncate font-mono text-12" title={pool.name}>
                            {pool.name}
                          </span>
                          <Meter
                            wide
                            value={pool.totalBytes <= 0 ? 0 : pool.usedBytes / pool.totalBytes}
                            label={`Pool ${pool.name}`}
                            text={`${formatBytes(pool.usedBytes)} of ${formatBytes(pool.totalBytes)}`}
                          />
                        </span>
                      ))}
                    </span>
                  )
                }
              </KnownInWords>
            </Fact>
            <Fact name="Incus">
              <KnownInWords known={detail.version}>
                {(version) => (
                  <span>
                    {version}
                    {typeof clusterVersion === 'string' && clusterVersion !== version && (
                      <span className="text-warning"> ≠ {clusterVersion} elsewhere in the cluster</span>
                    )}
                  </span>
                )}
              </KnownInWords>
            </Fact>
            <Fact name="Up for">
              <KnownInWords known={detail.uptimeSeconds}>{(seconds) => formatDuration(seconds * 1000)}</KnownInWords>
            </Fact>
            <Fact name="Clock">
              <KnownInWords known={detail.clockSkewMs}>
                {(ms) => {
                  const { text, concerning } = describeSkew(ms)
                  return <span className={concerning ? 'text-warning' : ''}>{text}</span>
                }}
              </KnownInWords>
            </Fact>
          </>
        )}
      </Facts>
    </Card>
  )
}

function reasonOf({ freshness }: { readonly freshness: Freshness }): string | undefined {
  return freshness.kind === 'unavailable' ? freshness.reason : undefined
}
