/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vioscsi_cmd.c: the part of the virtio-scsi dump driver that only computes:
 * commands, descriptors, and judging answers.  Touches no register.
 */
#include <dev/virtio/vioscsivar.h>

static void
vioscsi_be(uint8_t *p, unsigned int len, uint64_t v)
{
	while (len-- > 0) {
		p[len] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t
vioscsi_of_be(const uint8_t *p, unsigned int len)
{
	uint64_t v = 0;

	while (len-- > 0)
		v = v << 8 | *p++;
	return v;
}

void
vioscsi_cmd_plan(struct vioscsi_cmd *cmd, enum dumpdev_op op, uint64_t blk,
    uint32_t nblks, uint32_t blksize, uint64_t busaddr)
{
	const bool is10 = blk + nblks <= 0xffffffff && nblks <= 0xffff;

	memset(cmd, 0, sizeof(*cmd));
	if (op == DUMPDEV_FLUSH) {
		cmd->cdb[0] = SCSI_SYNC_CACHE_10;	/* 0 blocks: all */
		return;
	}
	cmd->busaddr = busaddr;
	cmd->len = nblks * blksize;
	cmd->write = op == DUMPDEV_WRITE;
	if (is10) {
		cmd->cdb[0] = cmd->write ? SCSI_WRITE_10 : SCSI_READ_10;
		vioscsi_be(cmd->cdb + 2, 4, blk);
		vioscsi_be(cmd->cdb + 7, 2, nblks);
	} else {
		cmd->cdb[0] = cmd->write ? SCSI_WRITE_16 : SCSI_READ_16;
		vioscsi_be(cmd->cdb + 2, 8, blk);
		vioscsi_be(cmd->cdb + 10, 4, nblks);
	}
}

void
vioscsi_cmd_capacity(struct vioscsi_cmd *cmd, bool is16, uint64_t busaddr)
{
	memset(cmd, 0, sizeof(*cmd));
	cmd->busaddr = busaddr;
	cmd->len = is16 ? SCSI_RC16_LEN : SCSI_RC10_LEN;
	if (!is16) {
		cmd->cdb[0] = SCSI_READ_CAPACITY_10;
		return;
	}
	cmd->cdb[0] = SCSI_SERVICE_IN_16;
	cmd->cdb[1] = SCSI_SA_READ_CAPACITY_16;
	vioscsi_be(cmd->cdb + 10, 4, cmd->len);
}

void
vioscsi_req_fill(const struct vioscsi_cmd *cmd, uint32_t unit, uint64_t id,
    struct vioscsi_req *req, struct vioscsi_resp *resp)
{
	memset(req, 0, sizeof(*req));
	/* 5.6.6.1: 1, target, and a LUN of SAM's flat space. */
	req->lun[0] = 1;
	req->lun[1] = (uint8_t)VIOSCSI_TARGET(unit);
	req->lun[2] = (uint8_t)(0x40 | VIOSCSI_LUN(unit) >> 8);
	req->lun[3] = (uint8_t)VIOSCSI_LUN(unit);
	req->id = id;
	memcpy(req->cdb, cmd->cdb, sizeof(req->cdb));
	memset(resp, 0, sizeof(*resp));
	resp->response = VIOSCSI_S_NOANSWER;
	resp->status = SCSI_STATUS_NOANSWER;
}

unsigned int
vioscsi_segs(const struct vioscsi_cmd *cmd, uint64_t req_busaddr,
    uint64_t resp_busaddr, struct vq_seg *segs)
{
	const struct vq_seg data = { cmd->busaddr, cmd->len, !cmd->write };
	const struct vq_seg resp = { resp_busaddr, sizeof(struct vioscsi_resp),
	    true };
	unsigned int n = 0;

	segs[n].busaddr = req_busaddr;
	segs[n].len = sizeof(struct vioscsi_req);
	segs[n++].devwrites = false;
	if (cmd->len != 0 && cmd->write)
		segs[n++] = data;
	segs[n++] = resp;
	if (cmd->len != 0 && !cmd->write)
		segs[n++] = data;
	return n;
}

uint32_t
vioscsi_sense(const struct vioscsi_resp *resp)
{
	const uint8_t *s = resp->sense;

	/* Fixed format; descriptor format.  The lowest bit: deferred. */
	if (resp->sense_len >= 14 &&
	    (SCSI_SENSE_CODE(s[0]) & ~1) == SCSI_SENSE_FIXED)
		return (uint32_t)(s[2] & 0xf) << 16 | (uint32_t)s[12] << 8 |
		    s[13];
	if (resp->sense_len >= 4 &&
	    (SCSI_SENSE_CODE(s[0]) & ~1) == SCSI_SENSE_DESC)
		return (uint32_t)(s[1] & 0xf) << 16 | (uint32_t)s[2] << 8 |
		    s[3];
	return 0;
}

static enum vioscsi_verdict
vioscsi_judge_sense(uint32_t sense)
{
	const uint32_t asc = sense & 0xffff;

	switch (sense >> 16) {
	case SCSI_KEY_ATTENTION:	/* after a reset, among others */
	case SCSI_KEY_ABORTED:
		return VIOSCSI_AGAIN;
	case SCSI_KEY_NOT_READY:
		return asc == SCSI_ASC_BECOMING_READY ? VIOSCSI_NOT_READY :
		    VIOSCSI_BAD;
	case SCSI_KEY_ILLEGAL:
		return asc == SCSI_ASC_NO_COMMAND ? VIOSCSI_NO_COMMAND :
		    VIOSCSI_BAD;
	default:
		return VIOSCSI_BAD;
	}
}

enum vioscsi_verdict
vioscsi_judge(const struct vioscsi_resp *resp)
{
	if (resp->response == VIOSCSI_S_BUSY ||
	    resp->response == VIOSCSI_S_RESET)
		return VIOSCSI_AGAIN;
	if (resp->response != VIOSCSI_S_OK)
		return VIOSCSI_BAD;
	switch (resp->status) {
	case SCSI_STATUS_GOOD:
		return resp->residual == 0 ? VIOSCSI_GOOD : VIOSCSI_BAD;
	case SCSI_STATUS_CHECK:
		return vioscsi_judge_sense(vioscsi_sense(resp));
	case SCSI_STATUS_BUSY:
	case SCSI_STATUS_TASK_SET_FULL:
		return VIOSCSI_NOT_READY;
	default:
		return VIOSCSI_BAD;
	}
}

int
vioscsi_capacity_check(struct dumpdev *dd, bool is16, const uint8_t *data)
{
	const uint64_t last = is16 ? vioscsi_of_be(data + SCSI_RC16_LAST, 8) :
	    vioscsi_of_be(data + SCSI_RC10_LAST, 4);
	const uint64_t blksize = vioscsi_of_be(data +
	    (is16 ? SCSI_RC16_BLKSIZE : SCSI_RC10_BLKSIZE), 4);

	if (!is16 && last == 0xffffffff)
		return -EAGAIN;
	if (blksize != dd->blksize)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SCSI disk has blocks of %llu bytes, not %u",
		    (unsigned long long)blksize, dd->blksize);
	if (is16 && (data[SCSI_RC16_PROT] & SCSI_RC16_PROT_EN) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SCSI disk has protection information; format it without");
	/* The last block, not their number. */
	if (last < dd->nblks - 1)
		return dumpdev_fail(dd, -ENXIO,
		    "SCSI disk has %llu blocks where %llu were armed",
		    (unsigned long long)last + 1,
		    (unsigned long long)dd->nblks);
	return 0;
}
