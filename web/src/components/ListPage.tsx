import type { Action } from '@malleus/shared/domain/action.ts'
import type { ReactNode } from 'react'
import { Boundary } from '../ui/Boundary.tsx'
import { SearchField } from '../ui/SearchField.tsx'
import { SkeletonRows } from '../ui/Skeleton.tsx'
import { ColumnsButton } from './ColumnsButton.tsx'
import type { ColumnChoices } from './ColumnMenu.tsx'
import { useMay } from './current.ts'
import { PageTitle } from './PageTitle.tsx'
import { ProblemNotice } from './ProblemNotice.tsx'
import { RoleNotice } from './RoleNotice.tsx'

/** A page for those whose role shows it; to the others it says why there is nothing. */
export function ForRole(props: { action: Action; title: string; what: string; children: ReactNode }) {
  const { action, title, what, children } = props
  const { may } = useMay(action)
  if (may) return children
  return (
    <>
      <PageTitle title={title} />
      <RoleNotice what={what} />
    </>
  )
}

/** A page that is one table: what is in it, what is wrong with it, how to narrow it, and the table itself. */
export function ListPage(props: {
  title: string
  sentence: ReactNode
  /** Why the list could not be read the last time. */
  error: Error | null
  notices?: ReactNode
  filter: {
    readonly label: string
    readonly value: string
    readonly onChange: (text: string) => void
    readonly className: string
  }
  /** What narrows the table beside the words that are typed. */
  more?: ReactNode
  columns: ColumnChoices
  /** The table, or what stands in its place; nothing while nothing has been read. */
  children: ReactNode | undefined
}) {
  const { title, sentence, error, notices, filter, more, columns, children } = props
  return (
    <>
      <PageTitle title={title} sentence={sentence} />
      {error !== null && <ProblemNotice error={error} />}
      {notices}
      <div className="flex flex-wrap items-center gap-2">
        <SearchField {...filter} />
        {more}
        <div className="ml-auto">
          <ColumnsButton {...columns} />
        </div>
      </div>
      {(children !== undefined || error === null) && (
        <Boundary title={title}>
          <div className="overflow-clip rounded-[10px] border border-line bg-surface">
            {children === undefined ? <SkeletonRows rows={10} /> : children}
          </div>
        </Boundary>
      )}
    </>
  )
}

/** In the place of a table of which nothing is left. */
export function EmptyTable({ children }: { children: ReactNode }) {
  return <p className="px-(--pad-x) py-6 text-center text-ink-3">{children}</p>
}
