import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { accessPathsQuery } from '../../api/access-paths.ts'
import { useMay } from '../../components/current.ts'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { RoleNotice } from '../../components/RoleNotice.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { Badge } from '../../ui/Badge.tsx'
import { Boundary } from '../../ui/Boundary.tsx'
import { Card } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { ChecksCard, WorksCard } from './ChecksCard.tsx'
import { FirstAnswerCard } from './FirstAnswerCard.tsx'
import { FrontsCard } from './FrontsCard.tsx'
import { PathDrawing } from './PathDrawing.tsx'
import { PathIncidents } from './PathIncidents.tsx'
import { PathServers } from './PathServers.tsx'
import { describeKind, describePaths, describeWorst, shapeOf, toneOf, worstFirst } from './path-words.ts'

const route = getRouteApi('/clusters/$cluster/access-paths')

export function AccessPathsPage() {
  const { may } = useMay('access-path.list')
  return may ? <AccessPaths /> : <Hidden />
}

function Hidden() {
  return (
    <>
      <PageTitle title="Access paths" />
      <RoleNotice what="the access paths" />
    </>
  )
}

function AccessPaths() {
  const { cluster } = route.useParams()
  const { path: wanted } = route.useSearch()
  const { data, error } = useQuery(accessPathsQuery(cluster))
  const paths = data?.paths.toSorted(worstFirst) ?? []
  const chosen = paths.find(({ name }) => name === wanted) ?? paths[0]
  return (
    <>
      <PageTitle title="Access paths" sentence={data && paths.length > 0 && describePaths(paths)} />
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? (
        error === null && (
          <Card title="Access paths">
            <SkeletonRows rows={5} />
          </Card>
        )
      ) : chosen === undefined ? (
        <NoPaths />
      ) : (
        <div className="grid items-start gap-3.5 lg:grid-cols-[minmax(230px,320px)_minmax(0,1fr)]">
          <PathList paths={paths} chosen={chosen.name} />
          <PathDetail cluster={cluster} path={chosen} />
        </div>
      )}
    </>
  )
}

function PathList({ paths, chosen }: { paths: readonly AccessPath[]; chosen: string }) {
  return (
    <nav aria-label="Access paths">
      <ul className="flex flex-col gap-2">
        {paths.map((path) => (
          <li key={path.name}>
            <PathEntry path={path} isChosen={path.name === chosen} />
          </li>
        ))}
      </ul>
    </nav>
  )
}

function PathEntry({ path, isChosen }: { path: AccessPath; isChosen: boolean }) {
  const { name, verdict } = path
  return (
    <Link
      from="/clusters/$cluster/access-paths"
      to="."
      search={(search) => ({ ...search, path: name })}
      aria-current={isChosen ? 'true' : undefined}
      className="block rounded-[10px] border border-line bg-surface px-3.5 py-2.5 hover:border-line-strong aria-[current=true]:border-accent"
    >
      <span className="flex items-center gap-2">
        <strong className="min-w-0 truncate">{name}</strong>
        <span className="ml-auto">
          <Badge tone={toneOf[verdict.level]} shape={shapeOf[verdict.level]}>
            {verdict.word}
          </Badge>
        </span>
      </span>
      <span className="mt-1 flex flex-wrap justify-between gap-x-3 text-12 text-ink-2">
        <span>{describeKind(path)}</span>
        <span className="tabular-nums">{describeWorst(path)}</span>
      </span>
    </Link>
  )
}

function PathDetail({ cluster, path }: { cluster: string; path: AccessPath }) {
  const { name, probedAt, servers } = path
  return (
    <div className="flex min-w-0 flex-col gap-3.5">
      <Boundary title={name}>
        <Card
          title={name}
          note={`${describeKind(path)}${path.kind === 'dns' ? '' : `, ${path.target}`}`}
          aside={
            <span className="text-12 text-ink-3">
              {probedAt === null ? (
                'not probed yet'
              ) : (
                <>
                  probed <Ago at={probedAt} />
                </>
              )}
            </span>
          }
        >
          <p className="border-b border-line px-(--pad-x) py-2.5">{path.verdict.text}</p>
          {servers.length > 0 && (
            <>
              <PathDrawing path={path} />
              <div className="border-t border-line max-sm:border-t-0">
                <PathServers path={path} />
              </div>
            </>
          )}
        </Card>
      </Boundary>
      <div className="grid items-start gap-3.5 min-[1180px]:grid-cols-[minmax(0,1.35fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-3.5">
          <Boundary title="Checks">
            <ChecksCard path={path} />
          </Boundary>
          <Boundary title="What works on it">
            <WorksCard path={path} />
          </Boundary>
        </div>
        <div className="flex min-w-0 flex-col gap-3.5">
          <Boundary title="First answer for a new client">
            <FirstAnswerCard path={path} />
          </Boundary>
        </div>
      </div>
      <Boundary title="Incidents on this path">
        <PathIncidents path={path} />
      </Boundary>
      <Boundary title="Set it up">
        <FrontsCard cluster={cluster} path={path} />
      </Boundary>
    </div>
  )
}

const example = `accessPaths:
  - { kind: dns, name: incus.example.net }
  - { kind: load-balancer, name: lb.example.net, address: lb.example.net:8443 }
  - { kind: floating-ip, name: vip, address: 10.20.0.100:8443 }`

function NoPaths() {
  return (
    <Card title="No access path yet" aside={<Copy text={example} what="the example" />}>
      <div className="space-y-2.5 px-(--pad-x) py-3">
        <p>
          Say in malleus.yaml, at the cluster, by which names and addresses clients reach it. Each is then probed from
          here, and this page says what a failing server costs there.
        </p>
        <pre
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable (WCAG 2.1.1)
          tabIndex={0}
          aria-label="Example"
          className="overflow-x-auto rounded-md bg-sunken px-3 py-2 font-mono text-12"
        >
          {example}
        </pre>
      </div>
    </Card>
  )
}
