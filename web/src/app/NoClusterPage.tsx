import { Logo } from '../ui/Logo.tsx'

export function NoClusterPage() {
  return (
    <main className="mx-auto max-w-[560px] px-5 py-20">
      <Logo size={28} />
      <h1 className="mt-4 text-18">No cluster to show</h1>
      <p className="mt-2 text-ink-2">
        This console watches no cluster, or your role shows you none. To add one, make a trust token on any of its
        servers and give it to the console:
      </p>
      <pre className="mt-3 overflow-x-auto rounded-lg border border-line bg-surface p-3 font-mono text-12">
        {'incus config trust add malleus\nnpm run malleus -- add-cluster'}
      </pre>
      <p className="mt-3 text-ink-2">Then add the printed lines to malleus.yaml and start the console again.</p>
    </main>
  )
}
