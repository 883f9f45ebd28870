import { Link } from '@tanstack/react-router'
import { useClusterName } from './current.ts'

export function MemberLink({ name }: { name: string }) {
  const cluster = useClusterName()
  return (
    <Link
      to="/clusters/$cluster/members/$member"
      params={{ cluster, member: name }}
      className="rounded-sm font-strong text-ink hover:text-accent-text hover:underline"
    >
      {name}
    </Link>
  )
}
