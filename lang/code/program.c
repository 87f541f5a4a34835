#include "lang/code/program.h"
#include "lang/table/builtin.h"

const char *const level_name[LEVEL_COUNT] = {
	[LEVEL_EMERGENCY] = "emergency",
	[LEVEL_URGENT] = "urgent",
	[LEVEL_CRITICAL] = "critical",
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_NOTICE] = "notice",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};

const char *const status_name[STATUS_COUNT] = {
	[STATUS_ACTIVE] = "active",
	[STATUS_INACTIVE] = "inactive",
	[STATUS_SUSPENDED] = "suspended",
	[STATUS_TESTING] = "testing",
	[STATUS_DEBUGGING] = "debugging",
};

const char *const input_name[INPUT_COUNT] = { "none", "proc", "file",
    "logfile", "journal", "object", "table" };
const char *const format_name[FORMAT_COUNT] = { "text", "json", "csv", "tsv" };
const char *const as_name[AS_COUNT] = { "number", "percent", "size",
    "duration", "time" };

static const struct {
	const char	*name, *shape, *meaning;
} row[OP_COUNT] = {
#define OP(name, shape, meaning) { #name, shape, meaning },
#include "lang/table/opcodes.def"
#undef OP
};

/* An operation is eight bits of an instruction. */
_Static_assert(OP_COUNT <= 256, "too many operations");
/* Constants and array indexes stand in eight bits, too. */
_Static_assert(LIM_REGS == 256 && LIM_ARRAYS == 256, "eight-bit operands");

const char *
program_opens(instr i, struct str *name)
{
	*name = STR_NIL;
	switch (I_OP(i)) {
	case OP_CMD:
	case OP_EXEC:
		return "starts a command";
	case OP_FTEST:
	case OP_PATH:
		return "looks at a file";
	case OP_OUT:
		switch (I_A(i)) {
		case OUT_LOG:
			return "writes to a file";
		case OUT_SYSLOG:
		case OUT_JOURNAL:
			return "writes to another program";
		default:
			return NULL;
		}
	case OP_CALLN:
	case OP_CALLS:
		if ((builtin_info[I_BX(i)].flags & FN_OPENS) == 0)
			return NULL;
		*name = builtin_main_name((int)I_BX(i));
		return "calls ";
	default:
		return NULL;
	}
}

const char *
opcode_name(enum opcode op)
{
	return (unsigned)op < OP_COUNT ? row[op].name : "?";
}

const char *
opcode_shape(enum opcode op)
{
	return (unsigned)op < OP_COUNT ? row[op].shape : "";
}

const char *
opcode_meaning(enum opcode op)
{
	return (unsigned)op < OP_COUNT ? row[op].meaning : "";
}

const struct line_entry *
program_where(const struct program *p, uint32_t pc)
{
	uint32_t lo = 0, hi = p->nlines, mid;

	/* The last entry that does not begin after pc. */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (p->lines[mid].pc <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (p->nlines == 0)
		return NULL;
	return &p->lines[lo == 0 ? 0 : lo - 1];
}
