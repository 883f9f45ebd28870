import { SkeletonRows } from '../ui/Skeleton.tsx'

export function PageSkeleton() {
  return (
    <div className="after-200ms p-5" aria-busy="true">
      <div className="mb-4 h-6 w-56 rounded-md bg-meter-track/60" />
      <div className="rounded-[10px] border border-line bg-surface">
        <SkeletonRows rows={8} />
      </div>
    </div>
  )
}
