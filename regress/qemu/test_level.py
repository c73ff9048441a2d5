# SPDX-License-Identifier: BSD-2-Clause
"""What the dump level leaves out: pages of zeros, and classes of pages."""

import re
import struct

import corefile
import crash
import disk
import initramfs
import memory
import refilter
import test_truth
from case import Skip, test

ZERO, FILTERED, UNREADABLE = 1, 2, 4    # kinds of exclsegs[]
ZERO_KEPT_MAX = 64

# Memory of all classes: cache with and without buffers, anonymous memory in
# small and transparent huge pages, tmpfs, hugetlb pages used and free, slab.
BUSY = """
await /dev/vda
await /dev/vdb
exec 5<>/dev/vdb
dd if=/dev/urandom of=/dev/vdb bs=1M count=12 2>/dev/null
dd if=/dev/vdb of=/dev/null bs=64k 2>/dev/null
mkdir -p /shm
mount -t tmpfs none /shm
dd if=/dev/urandom of=/shm/file bs=1M count=12 2>/dev/null
echo 6 >/proc/sys/vm/nr_hugepages
echo always >/sys/kernel/mm/transparent_hugepage/enabled
echo always >/sys/kernel/mm/transparent_hugepage/defrag
dd if=/dev/urandom bs=24M count=2 iflag=fullblock 2>/dev/null | sleep 1000 &
for i in 1 2 3 4 5 6; do
	sh -c 'x=$(dd if=/dev/urandom bs=64k count=16 2>/dev/null | hexdump);
	    echo >/tmp/full.$0; sleep 1000' $i &
done
for i in 1 2 3 4 5 6; do
	await /tmp/full.$i
done
sleep 3
say meminfo cat /proc/meminfo
dd if=/proc/kpageflags of=/dev/vda bs=64k 2>/dev/null
"""

# /proc/kpageflags, by Documentation/admin-guide/mm/pagemap.rst.
LRU, BUDDY, ANON, SWAPCACHE, HUGE, OFFLINE, PRIVATE = (
    1 << bit for bit in (5, 10, 12, 13, 17, 23, 35))
HUGE_PAGES = 512        # pages in a huge page
MOVED_MAX = 0.01        # of all pages: have changed since the guest looked
SIZE_MAX = 0.02         # by which we and makedumpfile may differ


def zeros_kept(core, path):
    """How many pages of zeros are in CORE_DATA all the same."""
    zeros, count = bytes(crash.PAGE), 0
    with open(path, "rb") as stream:
        stream.seek(-core.data_size, 2)
        while page := stream.read(crash.PAGE):
            count += page == zeros
    return count


def level1(case, bus, **options):
    dead = crash.kill(case, bus, dumpon="dumpon -d 1",
                      watch=lambda image: image.guards(2), **options)
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    path = dead.save()
    core = corefile.Core(path)
    case.equal(core.level, 1, "the header's dump_level")
    kinds = {kind for _, _, kind in core.exclsegs()}
    case.check(ZERO in kinds and kinds <= {ZERO, UNREADABLE},
               f"the kinds of exclsegs[] are {kinds}")
    kept = zeros_kept(core, path)
    case.check(kept <= ZERO_KEPT_MAX, f"{kept} pages of zeros are in the dump")
    test_truth.compare(dead, path)


@test(all_kernels=True)
def level_1_core_equals_memory(case):
    """a dump at level 1 leaves out nothing but pages that are all zeros, and
    all the rest equals memory: NVMe."""
    level1(case, "nvme", mem_mib=512, swap_mib=600, smp=2)


@test(slow=True)
def level_1_core_equals_memory_virtio(case):
    """the same on virtio-blk behind an IOMMU, with memory on both sides of the
    PCI hole."""
    level1(case, "virtio", mem_mib=3072, swap_mib=2048, smp=4,
           before=("-device", "intel-iommu"), append="intel_iommu=on",
           options="iommu_platform=on")


def pages(ranges):
    """[(start, size)] as a set of page frame numbers."""
    return {pfn for start, size in ranges
            for pfn in range(start // crash.PAGE,
                             (start + size) // crash.PAGE)}


def wanted(flags, level):
    """Does a page with these flags belong into a dump at this level?"""
    if flags & BUDDY:
        return not level & 16
    if flags & ANON or flags & HUGE:
        return not level & 8
    if flags & LRU:
        return not level & (4 if flags & PRIVATE else 6)
    return True


def flags_of(core, account):
    """What BUSY wrote of the pages; of those in a hole at the end, nothing."""
    top = max(start + size for start, size in core.memsegs()) // crash.PAGE
    return struct.unpack(f"<{top}Q", account.read(0, 8 * top)) + \
        (0,) * (1 << 20)


def check_flags(case, core, flags, level):
    """The guest's own account of its pages, of just before the panic."""
    kept = pages(core.memsegs())
    left = pages((start, size) for start, size, kind in core.exclsegs()
                 if kind == FILTERED)
    wrong = [pfn for pfn in left if wanted(flags[pfn], level)] + \
            [pfn for pfn in kept if not wanted(flags[pfn], level)]
    case.check(len(wrong) <= MOVED_MAX * core.counts[0],
               f"{len(wrong)} of {core.counts[0]} pages are not of the class "
               f"that the guest said, {wrong[:3]} among them")


def own_pages(dead):
    """What the dumper itself changes while it dumps."""
    return pages((start, end - start) for start, end, _ in
                 memory.own_ranges(dead.found["own"]))


def check_makedumpfile(case, dead, core, number):
    """makedumpfile keeps the same pages of the same memory, where it knows the
    kernel.  Those of zeros are there in its file, all as one."""
    kept = pages(core.memsegs())
    ram = kept | pages((start, size) for start, size, _ in core.exclsegs())
    zero = pages((start, size) for start, size, kind in core.exclsegs()
                 if kind == ZERO)
    peer = refilter.kept(case, dead, number)
    if peer is None:
        return
    peer = (peer & ram) - own_pages(dead)
    less, more = peer - kept - zero, kept - peer - own_pages(dead)
    case.log("refilter", f"ours {len(kept)} and {len(zero)} of zeros, peer "
             f"{len(peer)}\nless {sorted(less)}\nmore {sorted(more)}\n")
    case.check(not less, f"makedumpfile keeps {len(less)} pages that are not "
               "in the dump: see the log `refilter'")
    case.check(len(more) <= SIZE_MAX * len(peer),
               f"{len(more)} pages are in the dump, and makedumpfile keeps "
               f"{len(peer)}")


def told(dead, kind):
    """How many pages of a kind are left out, as the console said."""
    found = re.search(rf"among those not in it: (\d+) {kind}", dead.console)
    return int(found[1]) if found else 0


def check_kinds(case, dead):
    """Huge pages that were told are those of /proc/meminfo; the transparent
    ones may have become more since, as a process may still fill its memory."""
    about = dict(line.split(":") for line in dead.found["meminfo"])
    pages = {key: int(about[key].split()[0]) for key in
             ("HugePages_Total", "AnonHugePages")}
    case.equal(told(dead, "hugetlb"), pages["HugePages_Total"] * HUGE_PAGES,
               "hugetlb pages")
    case.check(pages["AnonHugePages"] > 0, "no transparent huge pages")
    got = told(dead, "transparent huge")
    case.check(got >= pages["AnonHugePages"] // 4 and got % HUGE_PAGES == 0,
               f"{got} transparent huge pages were told, where "
               f"{pages['AnonHugePages']} kB were in use")


def level(case, bus, number, **options):
    account, other = case.disk(4, None), case.disk(32, None)
    dead = crash.kill(case, bus, dumpon=f"dumpon -d {number}", work=BUSY,
                      before=(*disk.attach(account, "virtio", index=8),
                              *disk.attach(other, "virtio", index=9)),
                      **options)
    dead.check_complete()
    path = dead.save()
    core = corefile.Core(path)
    case.equal(core.level, number, "the header's dump_level")
    test_truth.compare(dead, path)
    check_flags(case, core, flags_of(core, account), number)
    check_makedumpfile(case, dead, core, number)
    check_kinds(case, dead)
    return core


@test(more=True)
def level_31_leaves_out_what_makedumpfile_does(case):
    """a dump at level 31 has the pages that makedumpfile -d 31 keeps of the
    same memory, they equal memory, and what it leaves out was of those classes
    in the guest's own account."""
    core = level(case, "nvme", 31, mem_mib=512, swap_mib=600, smp=2)
    for what, least in (("cache", 2000), ("private cache", 2000),
                        ("user", 5000), ("free", 20000)):
        at = ("cache", "private cache", "user", "free").index(what) + 3
        case.check(core.counts[at] >= least,
                   f"{core.counts[at]} pages of class {what} are left out")


BALLOON_MIB = 96


@test(slow=True)
def balloon_is_counted_and_left_alone(case):
    """memory that a balloon has given back to the hypervisor is told as such,
    page by page, and is not in the dump."""
    more = initramfs.more_modules(case.kernel.root, case.kernel.release,
                                  ("virtio_balloon",))
    if more is None:
        raise Skip("the kernel has no driver for it")
    archive, load = more

    def inflate(vm):
        vm.data.wait("@@balloon", 120)
        vm.qmp.cmd("balloon", value=(vm.mem_mib - BALLOON_MIB) << 20)
        vm.qmp.cmd("query-balloon")
        vm.data.send("blow")
    dead = crash.kill(case, "nvme", dumpon="dumpon -d 31", extra=archive,
                      find=load, meet=inflate, mem_mib=512,
                      before=["-device", "virtio-balloon-pci"], work="""
echo "@@balloon"
read -r word
_n=0
_before=$(sed -n 's/^balloon_inflate //p' /proc/vmstat)
while sleep 1; do
	_now=$(sed -n 's/^balloon_inflate //p' /proc/vmstat)
	[ "$_now" != "$_before" ] || [ "$_now" = 0 ] || break
	_before=$_now
	[ $((_n += 1)) -le 60 ] || die "the balloon does not fill"
done
say balloon sed -n 's/^balloon_[a-z]* //p' /proc/vmstat
""")
    dead.check_complete()
    inflate_, deflate = (int(text) for text in dead.found["balloon"][:2])
    case.equal(inflate_ - deflate, BALLOON_MIB << 20 >> 12,
               "pages in the balloon, by /proc/vmstat")
    case.equal(told(dead, "given back to the hypervisor"),
               inflate_ - deflate, "pages told")
    core = corefile.Core(dead.save())
    case.equal(core.counts[9], inflate_ - deflate, "pages counted")
