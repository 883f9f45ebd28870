import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import { Card } from '../../ui/Card.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { shapeOf, toneOf, useWords } from './path-words.ts'

const levelWords = { good: 'Good', info: 'Note', warning: 'Warning', bad: 'Bad', unknown: 'Not known' } as const

/** What was found, each with how it is mended. */
export function ChecksCard({ path }: { path: AccessPath }) {
  return (
    <Card title="Checks">
      <ul className="divide-y divide-line">
        {path.checks.map(({ id, level, text, fix }) => (
          <li key={id} className="flex gap-3 px-(--pad-x) py-2.5">
            <span className="mt-1">
              <StateMark tone={toneOf[level]} shape={shapeOf[level]} />
            </span>
            <div className="min-w-0">
              <p>
                <span className="sr-only">{levelWords[level]}: </span>
                {text}
              </p>
              {fix !== null && <p className="text-12 text-ink-3">{fix.text}</p>}
            </div>
          </li>
        ))}
        {path.checks.length === 0 && <li className="px-(--pad-x) py-3 text-ink-3">Measuring.</li>}
      </ul>
    </Card>
  )
}

const worksMark = {
  yes: { tone: 'good', shape: 'check', word: 'Works' },
  no: { tone: 'bad', shape: 'cross', word: 'Does not work' },
  unknown: { tone: 'unknown', shape: 'question', word: 'Not known' },
} as const

/** What clients can do through it. */
export function WorksCard({ path }: { path: AccessPath }) {
  if (path.works.length === 0) return null
  return (
    <Card title="What works on it">
      <ul className="divide-y divide-line">
        {path.works.map(({ use, works, text }) => (
          <li key={use} className="flex gap-3 px-(--pad-x) py-2">
            <span className="mt-1">
              <StateMark tone={worksMark[works].tone} shape={worksMark[works].shape} />
            </span>
            <div className="min-w-0">
              <p>
                {useWords[use]}
                <span className="sr-only">: {worksMark[works].word}</span>
              </p>
              <p className="text-12 text-ink-3">{text}</p>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  )
}
