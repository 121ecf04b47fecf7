/**
 * Updates of installed packages to exactly these versions, in one apt run. Nothing else is installed, nothing is removed: apt is held
 * to what was planned.
 */
export type UpgradePatches = {
  readonly packages: readonly {
    /** As in `Update`. */
    readonly name: string;
    /** null: it comes along as a new package. */
    readonly from: string | null;
    readonly to: string;
    /** `URI SUITE/COMPONENT` when planned. */
    readonly origin: string;
  }[];
  /** What happens to a configuration file that both the administrator and the new version have changed. */
  readonly conffiles: 'keep' | 'take';
};

/** Units that run code which is no longer on the disk; restarted once each. */
export type RestartPatched = { readonly units: readonly string[] };

/** `why`: packages that ask for it, for people. */
export type RebootHost = { readonly why: readonly string[] };
