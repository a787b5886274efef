/**
 * Pickles of Python 2.7.18 in base64, since hardly any machine still has it:
 *
 *     OrderedDict([('str', 'abc'), ('raw', '\xff\x00'), ('text', u'\xe9\u65e5\U0001f600'), ('long', 5L), ('big', 2**70),
 *       ('float', 0.1), ('flags', [True, False, None]), ('set', set([1])), ('frozen', frozenset([u'a'])),
 *       ('dict', {1: (2, 3)}), ('od', OrderedDict([(u'z', 1)])), ('when', datetime(2024, 1, 2, 3, 4, 5, 678901)),
 *       ('array', bytearray('\x01\xff'))])
 */
export const PYTHON_2: readonly (readonly [label: string, base64: string])[] = [
  [
    'protocol 0, pickle',
    [
      'Y2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnAwCigobHAxCihscDIKUydzdHInCnAzCmFTJ2FiYycKcDQKYWEobHA1ClMncmF3Jwpw',
      'NgphUydceGZmXHgwMCcKcDcKYWEobHA4ClMndGV4dCcKcDkKYVbpXHU2NWU1XFUwMDAxZjYwMApwMTAKYWEobHAxMQpTJ2xvbmcn',
      'CnAxMgphTDVMCmFhKGxwMTMKUydiaWcnCnAxNAphTDExODA1OTE2MjA3MTc0MTEzMDM0MjRMCmFhKGxwMTUKUydmbG9hdCcKcDE2',
      'CmFGMC4xCmFhKGxwMTcKUydmbGFncycKcDE4CmEobHAxOQpJMDEKYUkwMAphTmFhYShscDIwClMnc2V0JwpwMjEKYWNfX2J1aWx0',
      'aW5fXwpzZXQKcDIyCigobHAyMwpJMQphdHAyNApScDI1CmFhKGxwMjYKUydmcm96ZW4nCnAyNwphY19fYnVpbHRpbl9fCmZyb3pl',
      'bnNldApwMjgKKChscDI5ClZhCnAzMAphdHAzMQpScDMyCmFhKGxwMzMKUydkaWN0JwpwMzQKYShkcDM1CkkxCihJMgpJMwp0cDM2',
      'CnNhYShscDM3ClMnb2QnCnAzOAphZzAKKChscDM5CihscDQwClZ6CnA0MQphSTEKYWF0cDQyClJwNDMKYWEobHA0NApTJ3doZW4n',
      'CnA0NQphY2RhdGV0aW1lCmRhdGV0aW1lCnA0NgooUydceDA3XHhlOFx4MDFceDAyXHgwM1x4MDRceDA1XG5bXHhmNScKcDQ3CnRw',
      'NDgKUnA0OQphYShscDUwClMnYXJyYXknCnA1MQphY19fYnVpbHRpbl9fCmJ5dGVhcnJheQpwNTIKKFYB/wpwNTMKUydsYXRpbi0x',
      'JwpwNTQKdHA1NQpScDU2CmFhdHA1NwpScDU4Ci4=',
    ].join(''),
  ],
  [
    'protocol 0, cPickle',
    [
      'Y2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnAxCigobHAyCihscDMKUydzdHInCnA0CmFTJ2FiYycKcDUKYWEobHA2ClMncmF3Jwpw',
      'NwphUydceGZmXHgwMCcKcDgKYWEobHA5ClMndGV4dCcKcDEwCmFW6Vx1NjVlNVxVMDAwMWY2MDAKcDExCmFhKGxwMTIKUydsb25n',
      'JwpwMTMKYUw1TAphYShscDE0ClMnYmlnJwpwMTUKYUwxMTgwNTkxNjIwNzE3NDExMzAzNDI0TAphYShscDE2ClMnZmxvYXQnCnAx',
      'NwphRjAuMTAwMDAwMDAwMDAwMDAwMDEKYWEobHAxOApTJ2ZsYWdzJwpwMTkKYShscDIwCkkwMQphSTAwCmFOYWFhKGxwMjEKUydz',
      'ZXQnCnAyMgphY19fYnVpbHRpbl9fCnNldApwMjMKKChscDI0CkkxCmF0UnAyNQphYShscDI2ClMnZnJvemVuJwpwMjcKYWNfX2J1',
      'aWx0aW5fXwpmcm96ZW5zZXQKcDI4CigobHAyOQpWYQphdFJwMzAKYWEobHAzMQpTJ2RpY3QnCnAzMgphKGRwMzMKSTEKKEkyCkkz',
      'CnRwMzQKc2FhKGxwMzUKUydvZCcKcDM2CmFnMQooKGxwMzcKKGxwMzgKVnoKYUkxCmFhdFJwMzkKYWEobHA0MApTJ3doZW4nCnA0',
      'MQphY2RhdGV0aW1lCmRhdGV0aW1lCnA0MgooUydceDA3XHhlOFx4MDFceDAyXHgwM1x4MDRceDA1XG5bXHhmNScKdFJwNDMKYWEo',
      'bHA0NApTJ2FycmF5JwpwNDUKYWNfX2J1aWx0aW5fXwpieXRlYXJyYXkKcDQ2CihWAf8KUydsYXRpbi0xJwp0UnA0NwphYXRScDQ4',
      'Ci4=',
    ].join(''),
  ],
  [
    'protocol 1, pickle',
    [
      'Y2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEAKF1xAShdcQIoVQNzdHJxA1UDYWJjcQRlXXEFKFUDcmF3cQZVAv8AcQdlXXEIKFUE',
      'dGV4dHEJWAkAAADDqeaXpfCfmIBxCmVdcQsoVQRsb25ncQxMNUwKZV1xDShVA2JpZ3EOTDExODA1OTE2MjA3MTc0MTEzMDM0MjRM',
      'CmVdcQ8oVQVmbG9hdHEQRz+5mZmZmZmaZV1xEShVBWZsYWdzcRJdcRMoSTAxCkkwMApOZWVdcRQoVQNzZXRxFWNfX2J1aWx0aW5f',
      'XwpzZXQKcRYoXXEXSwFhdHEYUnEZZV1xGihVBmZyb3plbnEbY19fYnVpbHRpbl9fCmZyb3plbnNldApxHChdcR1YAQAAAGFxHmF0',
      'cR9ScSBlXXEhKFUEZGljdHEifXEjSwEoSwJLA3RxJHNlXXElKFUCb2RxJmgAKF1xJ11xKChYAQAAAHpxKUsBZWF0cSpScStlXXEs',
      'KFUEd2hlbnEtY2RhdGV0aW1lCmRhdGV0aW1lCnEuKFUKB+gBAgMEBQpb9XEvdHEwUnExZV1xMihVBWFycmF5cTNjX19idWlsdGlu',
      'X18KYnl0ZWFycmF5CnE0KFgDAAAAAcO/cTVVB2xhdGluLTFxNnRxN1JxOGVldHE5UnE6Lg==',
    ].join(''),
  ],
  [
    'protocol 1, cPickle',
    [
      'Y2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEBKF1xAihdcQMoVQNzdHJxBFUDYWJjcQVlXXEGKFUDcmF3cQdVAv8AcQhlXXEJKFUE',
      'dGV4dHEKWAkAAADDqeaXpfCfmIBxC2VdcQwoVQRsb25ncQ1MNUwKZV1xDihVA2JpZ3EPTDExODA1OTE2MjA3MTc0MTEzMDM0MjRM',
      'CmVdcRAoVQVmbG9hdHERRz+5mZmZmZmaZV1xEihVBWZsYWdzcRNdcRQoSTAxCkkwMApOZWVdcRUoVQNzZXRxFmNfX2J1aWx0aW5f',
      'XwpzZXQKcRcoXXEYSwFhdFJxGWVdcRooVQZmcm96ZW5xG2NfX2J1aWx0aW5fXwpmcm96ZW5zZXQKcRwoXXEdWAEAAABhYXRScR5l',
      'XXEfKFUEZGljdHEgfXEhSwEoSwJLA3RxInNlXXEjKFUCb2RxJGgBKF1xJV1xJihYAQAAAHpLAWVhdFJxJ2VdcSgoVQR3aGVucSlj',
      'ZGF0ZXRpbWUKZGF0ZXRpbWUKcSooVQoH6AECAwQFClv1dFJxK2VdcSwoVQVhcnJheXEtY19fYnVpbHRpbl9fCmJ5dGVhcnJheQpx',
      'LihYAwAAAAHDv1UHbGF0aW4tMXRScS9lZXRScTAu',
    ].join(''),
  ],
  [
    'protocol 2, pickle',
    [
      'gAJjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQBdcQEoXXECKFUDc3RycQNVA2FiY3EEZV1xBShVA3Jhd3EGVQL/AHEHZV1xCChV',
      'BHRleHRxCVgJAAAAw6nml6Xwn5iAcQplXXELKFUEbG9uZ3EMigEFZV1xDShVA2JpZ3EOigkAAAAAAAAAAEBlXXEPKFUFZmxvYXRx',
      'EEc/uZmZmZmZmmVdcREoVQVmbGFnc3ESXXETKIiJTmVlXXEUKFUDc2V0cRVjX19idWlsdGluX18Kc2V0CnEWXXEXSwFhhXEYUnEZ',
      'ZV1xGihVBmZyb3plbnEbY19fYnVpbHRpbl9fCmZyb3plbnNldApxHF1xHVgBAAAAYXEeYYVxH1JxIGVdcSEoVQRkaWN0cSJ9cSNL',
      'AUsCSwOGcSRzZV1xJShVAm9kcSZoAF1xJ11xKChYAQAAAHpxKUsBZWGFcSpScStlXXEsKFUEd2hlbnEtY2RhdGV0aW1lCmRhdGV0',
      'aW1lCnEuVQoH6AECAwQFClv1cS+FcTBScTFlXXEyKFUFYXJyYXlxM2NfX2J1aWx0aW5fXwpieXRlYXJyYXkKcTRYAwAAAAHDv3E1',
      'VQdsYXRpbi0xcTaGcTdScThlZYVxOVJxOi4=',
    ].join(''),
  ],
  [
    'protocol 2, cPickle',
    [
      'gAJjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQFdcQIoXXEDKFUDc3RycQRVA2FiY3EFZV1xBihVA3Jhd3EHVQL/AHEIZV1xCShV',
      'BHRleHRxClgJAAAAw6nml6Xwn5iAcQtlXXEMKFUEbG9uZ3ENigEFZV1xDihVA2JpZ3EPigkAAAAAAAAAAEBlXXEQKFUFZmxvYXRx',
      'EUc/uZmZmZmZmmVdcRIoVQVmbGFnc3ETXXEUKIiJTmVlXXEVKFUDc2V0cRZjX19idWlsdGluX18Kc2V0CnEXXXEYSwFhhVJxGWVd',
      'cRooVQZmcm96ZW5xG2NfX2J1aWx0aW5fXwpmcm96ZW5zZXQKcRxdcR1YAQAAAGFhhVJxHmVdcR8oVQRkaWN0cSB9cSFLAUsCSwOG',
      'cSJzZV1xIyhVAm9kcSRoAV1xJV1xJihYAQAAAHpLAWVhhVJxJ2VdcSgoVQR3aGVucSljZGF0ZXRpbWUKZGF0ZXRpbWUKcSpVCgfo',
      'AQIDBAUKW/WFUnErZV1xLChVBWFycmF5cS1jX19idWlsdGluX18KYnl0ZWFycmF5CnEuWAMAAAABw79VB2xhdGluLTGGUnEvZWWF',
      'UnEwLg==',
    ].join(''),
  ],
]
