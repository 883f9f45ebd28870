import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '../api/session.ts'
import { Notice } from '../ui/Notice.tsx'
import { showsNot } from './current.ts'

/** In the place of what the person's role does not show. */
export function RoleNotice({ what, alert = true }: { what: string; alert?: boolean }) {
  const roles = useQuery(sessionQuery).data?.principal.roles ?? []
  return (
    <Notice tone="info" shape="info" alert={alert} headline={showsNot(roles, what)}>
      Whoever administers this console can give you another.
    </Notice>
  )
}
