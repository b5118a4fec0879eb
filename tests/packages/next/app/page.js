"use client";

import { useFootfall } from "@footfall/sdk/react";
import { useEffect } from "react";

export default function Page() {
  const footfall = useFootfall();
  useEffect(() => footfall.track("bundled", { by: "next" }), [footfall]);
  return <h1>Made with Next</h1>;
}
