import { Component, type ReactNode } from 'react'
import { Button } from './Button.tsx'
import { Card } from './Card.tsx'

interface Props {
  readonly title: string
  readonly children: ReactNode
}

interface State {
  readonly failed: boolean
  /** What it was to show when that is what failed. */
  readonly children: ReactNode
}

/** Keeps a part that cannot be shown from taking the page with it; says so in its place, until there is something new to show. */
export class Boundary extends Component<Props, State> {
  override state: State = { failed: false, children: this.props.children }

  static getDerivedStateFromProps({ children }: Props, before: State): State {
    return { failed: before.failed && before.children === children, children }
  }

  static getDerivedStateFromError(): Pick<State, 'failed'> {
    return { failed: true }
  }

  override render(): ReactNode {
    const { title, children } = this.props
    if (!this.state.failed) return children
    return (
      <Card title={title}>
        <div className="flex flex-wrap items-center gap-3 px-(--pad-x) py-3 text-ink-2">
          <p>This part could not be shown. The rest of the page is not affected.</p>
          <Button size="small" onPress={() => this.setState({ failed: false })}>
            Try again
          </Button>
        </div>
      </Card>
    )
  }
}
