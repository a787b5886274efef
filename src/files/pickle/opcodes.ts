/**
 * The instruction set of Python's pickle. The writer and the reader have every byte from this table.
 *
 * Source: `opcodes` in CPython's Lib/pickletools.py, which also describes each argument and what it does to the stack.
 * Protocols 0 and 1 are Python 1 and 2; 2 is PEP 307; 3 is Python 3.0; 4 is PEP 3154 (frames, 8-byte lengths); 5 is
 * PEP 574 (buffers out of band). A pickle is a program for a small stack machine: each opcode is one byte, its argument
 * follows, integers are little-endian. `README.md` in this folder shows one byte by byte.
 */
export const opcodes = {
  // The stack, and the memo, which keeps shared references and cycles.
  MARK: 0x28, // ( : where the items of the next container begin
  STOP: 0x2e, // . : the top of the stack is the value
  POP: 0x30, // 0
  POP_MARK: 0x31, // 1
  DUP: 0x32, // 2
  PUT: 0x70, // p : decimal line
  BINPUT: 0x71, // q : uint1
  LONG_BINPUT: 0x72, // r : uint4
  MEMOIZE: 0x94, // protocol 4 : the next free number
  GET: 0x67, // g : decimal line
  BINGET: 0x68, // h : uint1
  LONG_BINGET: 0x6a, // j : uint4
  PROTO: 0x80, // protocol 2 : uint1
  FRAME: 0x95, // protocol 4 : uint8, the bytes that can be read ahead

  // None, bool, int, float.
  NONE: 0x4e, // N
  NEWTRUE: 0x88, // protocol 2
  NEWFALSE: 0x89, // protocol 2
  INT: 0x49, // I : decimal line; 00 and 01 are False and True
  BININT: 0x4a, // J : int4
  BININT1: 0x4b, // K : uint1
  BININT2: 0x4d, // M : uint2
  LONG: 0x4c, // L : decimal line that ends in L
  LONG1: 0x8a, // protocol 2 : uint1 length, two's complement
  LONG4: 0x8b, // protocol 2 : int4 length, two's complement
  FLOAT: 0x46, // F : repr line
  BINFLOAT: 0x47, // G : IEEE 754 double, big-endian

  // str, bytes, bytearray. STRING, BINSTRING and SHORT_BINSTRING are Python 2's 8-bit str.
  STRING: 0x53, // S : repr line
  BINSTRING: 0x54, // T : int4 length
  SHORT_BINSTRING: 0x55, // U : uint1 length
  UNICODE: 0x56, // V : raw-unicode-escape line
  BINUNICODE: 0x58, // X : uint4 length, UTF-8 that may hold surrogates
  SHORT_BINUNICODE: 0x8c, // protocol 4 : uint1 length
  BINUNICODE8: 0x8d, // protocol 4 : uint8 length
  BINBYTES: 0x42, // B, protocol 3 : uint4 length
  SHORT_BINBYTES: 0x43, // C, protocol 3 : uint1 length
  BINBYTES8: 0x8e, // protocol 4 : uint8 length
  BYTEARRAY8: 0x96, // protocol 5 : uint8 length
  NEXT_BUFFER: 0x97, // protocol 5 : a buffer that is not in the file
  READONLY_BUFFER: 0x98, // protocol 5

  // list, tuple, dict, set, frozenset.
  EMPTY_LIST: 0x5d, // ]
  APPEND: 0x61, // a
  APPENDS: 0x65, // e
  LIST: 0x6c, // l
  EMPTY_TUPLE: 0x29, // )
  TUPLE: 0x74, // t
  TUPLE1: 0x85, // protocol 2
  TUPLE2: 0x86, // protocol 2
  TUPLE3: 0x87, // protocol 2
  EMPTY_DICT: 0x7d, // }
  DICT: 0x64, // d
  SETITEM: 0x73, // s
  SETITEMS: 0x75, // u
  EMPTY_SET: 0x8f, // protocol 4
  ADDITEMS: 0x90, // protocol 4
  FROZENSET: 0x91, // protocol 4

  // Everything else: names and calls. The reader resolves and calls the names of `allow-list.ts`, and refuses the rest.
  GLOBAL: 0x63, // c : module line, name line
  STACK_GLOBAL: 0x93, // protocol 4
  REDUCE: 0x52, // R : a call
  BUILD: 0x62, // b : sets attributes
  INST: 0x69, // i : module line, name line
  OBJ: 0x6f, // o
  NEWOBJ: 0x81, // protocol 2
  NEWOBJ_EX: 0x92, // protocol 4
  EXT1: 0x82, // protocol 2 : uint1, a class by number
  EXT2: 0x83, // protocol 2 : uint2
  EXT4: 0x84, // protocol 2 : int4
  PERSID: 0x50, // P : line, an object that is not in the file
  BINPERSID: 0x51, // Q
} as const

export type OpcodeName = keyof typeof opcodes

/** The newest protocol. The writer uses 4, which every Python since 3.4 reads. */
export const PROTOCOL_MAX = 5
export const PROTOCOL_WRITTEN = 4
