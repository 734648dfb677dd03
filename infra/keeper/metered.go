package keeper

// Operations are what a store is asked in a second, in the kinds that EFS meters differently: data at 32 KiB an
// operation at the least, metadata at 4 KiB (docs.aws.amazon.com/efs/latest/ug/metered-sizes.html).
type Operations struct {
	Reads, Writes float64 // of a file's content
	Metadata      float64 // names looked up; files opened, asked for their length, synced or closed
}

// What keepers ask for by themselves while nobody posts, with DefaultTiming, and what the fence asks for before it lets
// the answer to a post go. TestMetered counts them.
var (
	LeaderIdle  = Operations{Writes: 1, Metadata: 6}
	StandbyIdle = Operations{Reads: 2, Metadata: 5.1}
	FenceOfPost = Operations{Writes: 1, Metadata: 5}
)
