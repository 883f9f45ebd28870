import type { ErrorComponentProps } from '@tanstack/react-router'
import { ProblemNotice } from '../components/ProblemNotice.tsx'
import { Button } from '../ui/Button.tsx'

/** A page that could not be shown at all. Where there is older data, the page keeps it and says so by itself. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  return (
    <main className="p-5">
      <h1 className="sr-only">This page could not be shown</h1>
      <ProblemNotice
        error={error instanceof Error ? error : new Error('This page could not be shown.', { cause: error })}
        actions={<Button onPress={reset}>Try again</Button>}
      />
    </main>
  )
}
