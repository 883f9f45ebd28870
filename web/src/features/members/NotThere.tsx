import { Link } from '@tanstack/react-router'
import { ApiError } from '../../api/api-error.ts'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'

/** In the place of a server that the cluster does not have. */
export function NotThere({ cluster, name, error }: { cluster: string; name: string; error: Error | null }) {
  return (
    <>
      <PageTitle title={`There is no server ${name} in ${cluster}`} />
      <p className="text-ink-2">
        It may have been removed or renamed.{' '}
        <Link
          to="/clusters/$cluster/members"
          params={{ cluster }}
          className="font-strong text-accent-text hover:underline"
        >
          See all servers
        </Link>
      </p>
      {error !== null && !(error instanceof ApiError && error.code === 'not_found') && <ProblemNotice error={error} />}
    </>
  )
}
