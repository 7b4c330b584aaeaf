// Why the desk or a part of it is not ACTIVE, and how each cause clears.

import type { Status } from "../../api/types";
import { Age } from "../../ui/Age";

export function Causes({ status }: { status: Status | undefined }) {
  if (!status || status.causes.length === 0) return null;
  const grave = status.causes.some(cause => cause.state !== "REDUCING" && cause.state !== "ACTIVE");
  const tone = grave ? "border-alarm bg-alarm-deep" : "border-warn/40 bg-warn-deep";
  return (
    <ul aria-label="Open causes" className={`max-h-24 overflow-y-auto border-b px-3 py-1 text-xs ${tone}`}>
      {status.causes.map(cause => (
        <li
          key={`${cause.scope.kind} ${cause.scope.name} ${cause.reason}`}
          className="flex flex-wrap gap-x-3"
        >
          <strong className="font-semibold">
            {cause.scope.name ?? cause.scope.kind}: {cause.state}
          </strong>
          <span>{cause.reason}</span>
          <span className="text-dim">
            <Age at={cause.since} plain />;{" "}
            {cause.clearing === "itself" ? "clears automatically" : "must be cleared by a person"}
          </span>
        </li>
      ))}
    </ul>
  );
}
