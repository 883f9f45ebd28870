import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import { useNavigate } from '@tanstack/react-router'
import type { RefObject } from 'react'
import { Menu, MenuItem } from '../ui/Menu.tsx'
import { ClusterLine } from './ClusterSwitcher.tsx'

export function ClusterMenu(props: {
  trigger: RefObject<HTMLElement | null>
  clusters: readonly ClusterSummary[]
  current: string
  onClose: () => void
}) {
  const { trigger, clusters, onClose } = props
  const navigate = useNavigate()
  return (
    <Menu trigger={trigger} label="Clusters" onClose={onClose} placement="bottom start">
      {clusters.map((cluster) => (
        <MenuItem
          key={cluster.name}
          id={cluster.name}
          text={cluster.name}
          // A target belongs to its own cluster.
          onAction={() =>
            void navigate({
              to: '/clusters/$cluster',
              params: { cluster: cluster.name },
              search: { target: undefined },
            })
          }
        >
          <ClusterLine cluster={cluster} />
        </MenuItem>
      ))}
    </Menu>
  )
}
