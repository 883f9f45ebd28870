// Decision, 2026-11-22: drawn by hand as SVG, not with @xyflow/react. The drawing has three columns and nothing to
// move, zoom or connect; the library is 58 kB gzip and a canvas of its own for the keyboard, and the table below says the
// same to readers. It would be another matter for a graph that people lay out themselves.

import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import { cx } from '../../lib/class-names.ts'
import type { Tone } from '../../ui/StateMark.tsx'
import { boxHeight, boxWidth, drawPath } from './drawing.ts'

const strokes: Readonly<Record<Tone, string>> = {
  good: 'stroke-good-mark',
  warning: 'stroke-warning-mark',
  bad: 'stroke-bad-mark',
  info: 'stroke-info-mark',
  unknown: 'stroke-line-strong',
}

const fills: Readonly<Record<Tone, string>> = {
  good: 'fill-good',
  warning: 'fill-warning',
  bad: 'fill-bad',
  info: 'fill-info',
  unknown: 'fill-ink-3',
}

/** From clients through the path to the servers, coloured by what was measured. The table below it says the same. */
export function PathDrawing({ path }: { path: AccessPath }) {
  const { width, height, boxes, edges, leftOut } = drawPath(path)
  return (
    <div className="px-(--pad-x) py-5 max-sm:hidden">
      <svg
        aria-hidden="true"
        viewBox={`-1 -1 ${width + 2} ${height + 2}`}
        className="mx-auto block w-full max-w-[860px] overflow-visible"
      >
        {edges.map(({ key, path, tone, dashed, label, labelX, labelY }) => (
          <g key={key}>
            <path
              d={path}
              fill="none"
              strokeWidth="1.5"
              strokeDasharray={dashed ? '4 4' : undefined}
              className={strokes[tone]}
            />
            {label !== '' && (
              <text
                x={labelX}
                y={labelY}
                textAnchor="end"
                strokeWidth="4"
                paintOrder="stroke"
                className={cx('stroke-surface text-11 tabular-nums', fills[tone])}
              >
                {label}
              </text>
            )}
          </g>
        ))}
        {boxes.map(({ key, x, y, title, note, tone }) => (
          <g key={key} transform={`translate(${x} ${y})`}>
            <rect
              width={boxWidth}
              height={boxHeight}
              rx="6"
              strokeWidth={tone === null ? 1 : 1.5}
              className={cx('fill-surface', tone === null ? 'stroke-line-strong' : strokes[tone])}
            />
            <text x="12" y="19" className="fill-ink text-12 font-strong">
              {shortened(title, 23)}
            </text>
            <text x="12" y="34" className="fill-ink-3 text-11">
              {shortened(note, 27)}
            </text>
          </g>
        ))}
      </svg>
      {leftOut > 0 && (
        <p className="pt-3 text-12 text-ink-3">
          {leftOut} more {leftOut === 1 ? 'server is' : 'servers are'} in the table.
        </p>
      )}
    </div>
  )
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
