import { ApiError } from "../api/client";

/** The error of a request, with the API's hint if there is one. */
export function Problem({ of }: { of: unknown }) {
  if (of === undefined || of === null) return null;
  const message = of instanceof Error ? of.message : String(of);
  return (
    <p role="alert" className="rounded border border-alarm bg-alarm-deep px-3 py-2 text-sm">
      {message} {of instanceof ApiError && of.hint}
    </p>
  );
}
