import type { Side } from "../../api/types";

/** Buy or sell. */
export function SideMark({ side }: { side: Side }) {
  return <span className={side === "buy" ? "text-gain" : "text-loss"}>{side}</span>;
}
